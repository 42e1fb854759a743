/** The built page of a profile, which the executable carries as a file. */
declare module "*/profile.client" {
  const path: string;
  export default path;
}
