import type { Instead } from './managed-account.ts';

/** What to do instead, where a platform has no such thing. */
export const WHATSAPP = 'This is a WhatsApp account; conversions of it go to its dataset, which is at /v1/whatsapp/dataset.';

const GOOGLE_LIST = 'GET /v1/accounts/{accountId}/conversion-destinations lists them.';

export const NO_CREATE: Instead = {
  metaads: 'Meta pixels are made in Events Manager, not here. Make one there; GET /v1/accounts/{accountId}/conversion-destinations then lists it.',
};
export const NO_SINGLE: Instead = {
  metaads: 'Meta pixels are read and changed in Events Manager. GET /v1/accounts/{accountId}/conversion-destinations lists them.',
  googleads: `Google Ads conversion actions are changed and removed in Google Ads itself. ${GOOGLE_LIST}`,
};
export const NO_ASSOCIATIONS: Instead = {
  metaads: 'Meta has no associations: a campaign names the pixel it optimises for in its ad sets. Set it in Ads Manager.',
  googleads: 'Google Ads has no associations: conversion actions count for all campaigns of the account, by its conversion goals. Set them in Google Ads.',
};
export const NO_METRICS: Instead = {
  metaads: 'Meta has no metrics by pixel here. GET /v1/ads/conversions/quality tells how well its events match.',
  googleads: 'Google Ads has no metrics by conversion action here. Read them in Google Ads, segmented by conversion action.',
};
export const NO_QUALITY: Instead = {
  googleads: 'Google Ads has no match quality. GET /v1/deliveries/{deliveryId} tells in platformStatus what Google did with a request.',
  linkedinads: 'LinkedIn has no match quality. GET /v1/accounts/{accountId}/conversion-destinations/{destinationId}/metrics tells what was attributed.',
};
const ACTIONS = 'Conversion actions are a thing of Google Ads.';
export const NO_ACTIONS: Instead = {
  metaads: `${ACTIONS} GET /v1/accounts/{accountId}/conversion-destinations lists the pixels of this account.`,
  linkedinads: `${ACTIONS} /v1/accounts/{accountId}/conversion-destinations lists and makes the conversion rules of this account.`,
};
