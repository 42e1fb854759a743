/** `import path from "…/lib.so" with { type: "file" }` answers the file's path, on disk or inside the binary. */
declare module "*.so" {
  const path: string;
  export default path;
}
