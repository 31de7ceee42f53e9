import { createHash } from 'node:crypto';

import type { ConversionAction } from '../google/actions.ts';

const hash = (text: string) => createHash('sha256').update(text).digest();

/** The output-only snippets of a website action, one per page format; other types have none. */
export function tagSnippetsOf({ type, id, customerId, name }: ConversionAction): readonly Record<string, string>[] | undefined {
  if (type !== 'WEBPAGE') return undefined;
  const tagId = `AW-${hash(`tag ${customerId}`).readUInt32BE(0)}`;
  const label = hash(`label ${id}`).toString('base64url').slice(0, 19);
  const globalSiteTag = [
    `<!-- Google tag (gtag.js) -->`,
    `<script async src="https://www.googletagmanager.com/gtag/js?id=${tagId}"></script>`,
    `<script>`,
    `  window.dataLayer = window.dataLayer || [];`,
    `  function gtag(){dataLayer.push(arguments);}`,
    `  gtag('js', new Date());`,
    ``,
    `  gtag('config', '${tagId}');`,
    `</script>`,
    ``,
  ].join('\n');
  const eventSnippet = [
    `<!-- Event snippet for ${name} conversion page -->`,
    `<script>`,
    `  gtag('event', 'conversion', {`,
    `      'send_to': '${tagId}/${label}',`,
    `      'transaction_id': ''`,
    `  });`,
    `</script>`,
    ``,
  ].join('\n');
  return [
    { type: 'WEBPAGE', pageFormat: 'HTML', globalSiteTag, eventSnippet },
    { type: 'WEBPAGE', pageFormat: 'AMP', globalSiteTag: `<amp-analytics type="gtag" data-credentials="include"></amp-analytics>\n`, eventSnippet: `"C_${label}": { "on": "visible" }\n` },
  ];
}
