import { styleText } from 'node:util';

/** Colour for a terminal; plain text for a pipe, and where NO_COLOR asks for it. */
export interface Paint {
  heading(text: string): string;
  good(text: string): string;
  bad(text: string): string;
  faint(text: string): string;
}

export function createPaint(coloured: boolean): Paint {
  const with_ = (style: Parameters<typeof styleText>[0]) => (text: string) => (coloured ? styleText(style, text, { validateStream: false }) : text);
  return { heading: with_('bold'), good: with_('green'), bad: with_('red'), faint: with_('dim') };
}
