/** The built page, which the executable carries as a file. */
declare module "*/page.client" {
  const path: string;
  export default path;
}
