import { platformConformance } from '../conformance.test-kit.ts';
import { anEvent } from '../meta/event.test-kit.ts';
import { whatsappMessaging } from './index.ts';
import { toMessagingItem } from './item.ts';

/** The suite speaks in ads events: what of them a messaging event has is taken over. */
platformConformance(
  {
    ...whatsappMessaging,
    toItem: ({ eventName, eventTime, eventId, value, currency, user }, context) =>
      toMessagingItem({ eventName, eventTime, eventId, value, currency, email: user.email, externalId: user.externalId, ctwaClid: 'Aff-n8ZT', wabaId: '2000000000000001' }, context),
  },
  {
    credentials: { accessToken: 'EAATESTTOKEN123' },
    destinationId: '1234567890123456',
    sendable: anEvent({ eventName: 'Purchase', value: 12.5, currency: 'EUR' }),
    bodies: [
      '{"events_received":1,"messages":[],"fbtrace_id":"A1b2"}',
      '{"error":{"message":"Invalid parameter","type":"OAuthException","code":100,"error_subcode":2804087,"is_transient":false,"error_user_title":"Messaging Event Invalid Ctwa Clid","error_user_msg":"The ctwa_clid is not valid.","fbtrace_id":"A1b2"}}',
    ],
  },
);
