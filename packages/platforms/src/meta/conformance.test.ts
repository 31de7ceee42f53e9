import { platformConformance } from '../conformance.test-kit.ts';
import { anEvent } from './event.test-kit.ts';
import { metaAds } from './index.ts';

platformConformance(metaAds, {
  credentials: { accessToken: 'EAATESTTOKEN123' },
  destinationId: '1234567890123456',
  sendable: anEvent({ eventName: 'Purchase', value: 12.5, currency: 'EUR', actionSource: 'web', sourceUrl: 'https://shop.example/' }),
  bodies: [
    '{"events_received":3,"messages":[],"fbtrace_id":"A1b2"}',
    `{"error":{"message":"Invalid parameter","type":"OAuthException","code":100,"error_subcode":2804019,"is_transient":false,"error_user_title":"Server Side Api Parameter Error","error_user_msg":"Unexpected key on param $['data'][2]['x']","fbtrace_id":"A1b2"}}`,
    '{"error":{"message":"(#80004) There have been too many calls","type":"OAuthException","code":80004,"error_subcode":2446079,"is_transient":true,"fbtrace_id":"A1b2"}}',
  ],
});
