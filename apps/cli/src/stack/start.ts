import { SEED } from '@relay/sandbox';
import { KEPT } from './paths.ts';
import { endWith, INTERRUPTED, runStack } from './run-stack.ts';
import type { Stack } from './stack.ts';

const say = (line: string) => void process.stdout.write(`${line}\n`);

function welcome({ apiUrl, workerUrl, sandboxUrl, secrets, logFolder }: Stack): string {
  const body = JSON.stringify({
    accountId: 'acc_meta',
    destinationId: SEED.meta.pixels[0],
    events: [{ eventName: 'Purchase', eventTime: 0, eventId: 'order-4711', value: 49.9, currency: 'EUR', user: { email: 'jane@example.com', userAgent: 'Mozilla/5.0' }, actionSource: 'web', sourceUrl: 'https://shop.example.com/thank-you' }],
  }).replace('"eventTime":0', `"eventTime":'$(date +%s)'`);
  return `
Conversion Relay is up, with emulated platforms behind it. Ctrl-C stops it; data stay in ${KEPT}

  API           ${apiUrl}            reference: ${apiUrl}/docs
  Bull Board    ${apiUrl}/admin/queues   login: ${secrets.opsUser} / ${secrets.opsPassword}
  metrics       ${apiUrl}/metrics  ${workerUrl}/metrics
  sandbox       ${sandboxUrl}/_control/summary
  logs          ${logFolder}

  accounts      acc_meta (pixels ${SEED.meta.pixels.join(', ')})
                acc_google (customers/${SEED.google.customerId}/conversionActions/${SEED.google.uploadActions[0]} …)
                acc_linkedin (rules ${SEED.linkedin.rules.join(', ')})
                acc_wa (WhatsApp; POST /v1/whatsapp/dataset makes its dataset)

For the command line (npm run relay -- --help):

  export RELAY_URL=${apiUrl} RELAY_API_KEY=${secrets.apiKey}
  npm run relay -- send apps/sandbox/samples/shop-purchases.ndjson --rebase --account acc_meta --destination ${SEED.meta.pixels[0]}

Or without it:

  curl -s ${apiUrl}/v1/ads/conversions -H 'authorization: Bearer ${secrets.apiKey}' -H 'content-type: application/json' -d '${body}'

Somebody taps an ad and writes to acc_wa's WhatsApp number:

  curl -s ${sandboxUrl}/_control/whatsapp/click -H 'content-type: application/json' -d '{"adId":"120226305854810726","waId":"4915512340000","webhookUrl":"${apiUrl}/webhooks/whatsapp"}'
`;
}

const run = runStack({ mode: 'start', redisUrl: process.env['REDIS_URL'], say }, (stack) => {
  say(welcome(stack));
  return new Promise<never>(() => undefined); // Until Ctrl-C, or until a part of it breaks.
});
await endWith(run.then((code) => (code === INTERRUPTED ? 0 : code)));
