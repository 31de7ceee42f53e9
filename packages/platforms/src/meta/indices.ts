/**
 * Meta names an event, if at all, by a JSONPath within a sentence: `Unexpected key "index" on param
 * "$['data'][0]['custom_data']['contents'][0]"`. The path is not translated; its quotes have been seen escaped in
 * various ways on their way through.
 */
const QUOTE = String.raw`(?:\\*['"‘’“”]|&#0?39;|&#x27;|&apos;|&quot;)`;
const EVENT_PATH = new RegExp(String.raw`\$(?:\[${QUOTE}data${QUOTE}\]|\.data)\[(\d{1,7})\]`, 'gi');

/** Indices of events that `text` names, ascending, each once, only such as were sent. */
export function namedIndices(text: string, total: number): readonly number[] {
  const found = new Set<number>();
  for (const match of text.matchAll(EVENT_PATH)) {
    const index = Number(match[1]);
    if (index < total) found.add(index);
  }
  return [...found].sort((a, b) => a - b);
}
