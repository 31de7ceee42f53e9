/** Controls, invisible marks that turn the writing around, and U+2028/U+2029, which end a line and which JSON leaves as they are. */
const UNSEEN = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu;

/** A text of a caller for use in a message: in quotes, on one line, all of it visible, cut after `maxLength` UTF-16 units. */
export function quoted(text: string, maxLength: number): string {
  const shown = text.length <= maxLength ? text : `${text.slice(0, maxLength - 1).toWellFormed()}…`;
  return JSON.stringify(shown).replace(UNSEEN, escaped);
}

function escaped(character: string): string {
  let text = '';
  for (let at = 0; at < character.length; at += 1) text += `\\u${character.charCodeAt(at).toString(16).padStart(4, '0')}`;
  return text;
}
