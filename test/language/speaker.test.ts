import { expect, test } from "bun:test";
import { entitiesIn } from "../../src/language/entity.ts";
import { namesSpeaker, nameWords, speakerOf } from "../../src/language/speaker.ts";

test("speakerOf reads the name before the colon at the start, and roles", () => {
  expect(speakerOf("John: Hey Maria!")).toBe("John");
  expect(speakerOf("Mary Ann O’Neil: yes")).toBe("Mary Ann O’Neil");
  expect(speakerOf("assistant: here you are")).toBe("assistant");
  expect(speakerOf("小明：你好吗")).toBe("小明");
  expect(speakerOf("we met at noon: it rained")).toBeUndefined();
  expect(speakerOf("http://127.0.0.1 is local")).toBeUndefined();
  expect(speakerOf("12:30 is lunch")).toBeUndefined();
});

test("namesSpeaker compares by the words of the name, whatever their case or ending", () => {
  expect(namesSpeaker(nameWords("What did john say?"), "John")).toBe(true);
  expect(namesSpeaker(nameWords("What is Maria's job?"), "Maria Lopez")).toBe(true);
  expect(namesSpeaker(nameWords("What did Johnny say?"), "John")).toBe(false);
});

test("entitiesIn finds names inside sentences and long numbers, and not what starts one", () => {
  const terms = (text: string): string[] => entitiesIn(text, "english", 8).map(({ surface }) => surface);
  expect(terms("John: We went to Jasper with Toby. Great trip in 2023, flight 77.")).toEqual([
    "Jasper",
    "Toby",
    "2023",
  ]);
  expect(terms('Maria: "Wow! Hello there", said Maria.')).toEqual([]);
  expect(entitiesIn("Wir fuhren mit dem Zug nach Berlin", "german", 8)).toEqual([]);
  expect(entitiesIn("a Bcd Efg Hij Klm", "english", 2)).toHaveLength(2);
});
