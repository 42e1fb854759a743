/** What one core takes from memory at a time, on x86-64 and on the arm64 servers we know. */
export const CACHE_LINE_BYTES = 64;
