import { hash } from 'node:crypto';
import { Content, CustomData, ServerEvent, UserData } from 'facebook-nodejs-business-sdk';
import type { SendConversions } from '@relay/contract';
import type { BenchEvent } from './events.ts';
import { runTransform } from './transform-loop.ts';

/** The same body as its users make it: objects of the SDK, which normalises and hashes, and checks little. */
runTransform(
  (body) => JSON.stringify({ data: (body as SendConversions).events.map((event) => serverEvent(event).normalize()) }),
  (json) => JSON.parse(json).data,
);

function serverEvent(event: BenchEvent): ServerEvent {
  return new ServerEvent()
    .setEventName(event.eventName)
    .setEventTime(event.eventTime)
    .setEventId(event.eventId)
    .setActionSource('website')
    .setEventSourceUrl(event.sourceUrl!)
    .setUserData(userData(event.user))
    .setCustomData(customData(event));
}

function userData(user: BenchEvent['user']): UserData {
  return new UserData()
    .setEmail(user.email!)
    .setPhone(user.phone!)
    .setFirstName(user.firstName!)
    .setLastName(user.lastName!)
    .setCountry(user.country!)
    .setCity(user.city!)
    .setZip(user.zip!)
    .setExternalId(hash('sha256', user.externalId!)) // the one value that the SDK leaves to its caller to hash
    .setClientIpAddress(user.ipAddress!)
    .setClientUserAgent(user.userAgent!)
    .setFbc(user.clickIds!.fbc!)
    .setFbp(user.clickIds!.fbp!);
}

function customData({ value, currency, items = [] }: BenchEvent): CustomData {
  return new CustomData()
    .setValue(value!)
    .setCurrency(currency!)
    .setContents(items.map((item) => new Content().setId(item.id!).setQuantity(item.quantity!).setItemPrice(item.price!)))
    .setContentIds(items.map((item) => item.id!))
    .setContentType('product')
    .setNumItems(items.length);
}
