/**
 * Names of memory spaces. They stand in headers, in file names and in a field of 64 bytes of the space root, so they
 * are short ASCII that needs no quoting anywhere, and never begin with a dot.
 */
export const SPACE_NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/;
