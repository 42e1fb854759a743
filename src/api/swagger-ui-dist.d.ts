/** Swagger UI's files, imported with `{ type: "file" }`: each is the path of a file, inside the binary once built. */
declare module "swagger-ui-dist/swagger-ui-bundle.js" {
  const path: string;
  export default path;
}
declare module "swagger-ui-dist/swagger-ui.css" {
  const path: string;
  export default path;
}
