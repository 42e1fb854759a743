/** `import text from "….service" with { type: "text" }` answers the file's text, also inside the executable. */
declare module "*.service" {
  const text: string;
  export default text;
}
