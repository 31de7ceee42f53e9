/** Progress, apart from the result. */
export type Say = (line: string) => void;
