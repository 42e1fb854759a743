import { describe, expect, test } from "bun:test";
import { stemEnglish } from "../../src/language/english-stemmer.ts";
import { LANGUAGE_RULES, LANGUAGES, type Language } from "../../src/language/languages.ts";

/** word:stem, as snowballstemmer 3.1.1 gives them */
const ENGLISH = `
consign:consign consigned:consign consigning:consign consignment:consign consist:consist
consisted:consist consistency:consist consistent:consist consistently:consist consisting:consist
consists:consist consolation:consol consolations:consol consolatory:consolatori console:consol
knack:knack knackeries:knackeri knacks:knack knag:knag knave:knave knavery:knaveri knaves:knave
knavish:knavish kneaded:knead kneading:knead knightly:knight knots:knot happily:happili
generously:generous universities:universiti communism:communism arsenal:arsenal
international:internat lately:late organization:organiz past:past proceed:proceed succeeded:succeed
exceedingly:exceed evening:evening canning:canning herring:herring dying:die lying:lie tying:tie
egging:egg added:add offing:off skis:ski skies:sky sky:sky idly:idl gently:gentl ugly:ugli
early:earli only:onli singly:singl news:news atlas:atlas bias:bias hopping:hop hoping:hope
controlling:control rolled:roll feudally:feudal relational:relat conditional:condit apologist:apolog
biologists:biolog analogies:analog yelled:yell enjoying:enjoy youth:youth gas:gas gaps:gap ties:tie
cries:cri luxuriated:luxuri running:run flies:fli agreed:agre feed:feed national:nation
hopefulness:hope sensibility:sensibl adoption:adopt activate:activ
`;

const OTHERS: Partial<Record<Language, string>> = {
  german:
    "abenteuerlichen:abenteu häuser:haus kinder:kind aufgeregt:aufgeregt straßen:strass möglichkeiten:moglich",
  french:
    "continuellement:continuel majestueuse:majestu adoucissements:adouc chevaux:cheval finissaient:fin nationalité:national",
  spanish: "chicas:chic torneos:torne rápidamente:rapid comiéndolo:com habitaciones:habit canciones:cancion",
  italian:
    "abbandonata:abbandon velocemente:veloc amicizie:amiciz mangiandolo:mang libri:libr ragazze:ragazz",
  portuguese:
    "quilométricas:quilométr rapidamente:rapid amizades:amizad felicidade:felic trabalhando:trabalh crianças:crianc",
  swedish: "jaktkarlarne:jaktkarl vänskaper:vänskap möjligheter:möj barnen:barn lyckligt:lyck böckerna:böck",
  russian: "вавиловка:вавиловк дружбы:дружб возможности:возможн дети:дет счастливый:счастлив книгами:книг",
};

function pairs(list: string): string[][] {
  return list
    .trim()
    .split(/\s+/)
    .map((pair) => pair.split(":"));
}

describe("stemmers", () => {
  test("stemEnglish agrees with Snowball's own stemmer", () => {
    for (const [word, stem] of pairs(ENGLISH))
      expect(`${word}:${stemEnglish(word!)}`).toBe(`${word}:${stem}`);
  });

  test("stemEnglish takes what is no word", () => {
    for (const text of [
      "",
      "a",
      "'",
      "''",
      "'s",
      "s'",
      "ss",
      "yyyy",
      "123",
      "constructor",
      "e",
      "ing",
      "eed",
      "ée",
    ]) {
      expect(typeof stemEnglish(text)).toBe("string");
    }
  });

  test.each(Object.entries(OTHERS))("LANGUAGE_RULES stem %s as Snowball does", (language, list) => {
    const { stem } = LANGUAGE_RULES[language as Language];
    for (const [word, expected] of pairs(list!)) expect(`${word}:${stem(word!)}`).toBe(`${word}:${expected}`);
  });

  test("LANGUAGE_RULES give every language a stemmer that answers and stop words in lower case", () => {
    for (const language of LANGUAGES) {
      const rules = LANGUAGE_RULES[language];
      expect(rules.stem("information").length).toBeGreaterThan(3);
      for (const word of rules.stopWords) expect(word).toBe(word.toLowerCase());
    }
  });
});
