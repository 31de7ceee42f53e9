import type { ApiApp } from '../api-app.ts';
import type { ApiDeps } from '../api-deps.ts';
import type { Waiting } from '../waiting.ts';
import { getAccount, getAccounts } from './admin-accounts-read.ts';
import { deleteAccount, patchAccount, postAccount } from './admin-accounts-write.ts';
import { getApiKey, getApiKeys } from './admin-api-keys-read.ts';
import { deleteApiKey, patchApiKey, postApiKey } from './admin-api-keys-write.ts';
import { deleteDeadLetter } from './delete-dead-letter.ts';
import { getConversions } from './get-conversions.ts';
import { getDeadLetter } from './get-dead-letter.ts';
import { getDeadLetters } from './get-dead-letters.ts';
import { getDelivery } from './get-delivery.ts';
import { getEvent } from './get-event.ts';
import { getHealthz, getReadyz } from './ops-health.ts';
import { getMetrics } from './ops-metrics.ts';
import { postAdjustments } from './post-adjustments.ts';
import { postConversions } from './post-conversions.ts';
import { postDeadLetterReplay } from './post-dead-letter-replay.ts';
import { postDeadLettersReplay } from './post-dead-letters-replay.ts';
import { conversionActions } from '../management/actions.ts';
import { deleteAssociations, getAssociations, postAssociations } from '../management/associations.ts';
import { deleteDestination, getDestination, getDestinations, patchDestination, postDestination } from '../management/destinations.ts';
import { getMetrics as getDestinationMetrics } from '../management/metrics.ts';
import { getQuality } from '../management/quality.ts';
import { getConversations as getCaptured, putConversation } from '../whatsapp/conversations.ts';
import { getDataset, postDataset } from '../whatsapp/dataset.ts';
import { getWhatsappConversions } from '../whatsapp/get-whatsapp-conversions.ts';
import { postWhatsappConversion } from '../whatsapp/post-whatsapp-conversion.ts';

/** Everything under `/v1`. */
export function installApiRoutes(app: ApiApp, deps: ApiDeps & { readonly waiting: Waiting }): void {
  const routes = [
    postConversions,
    postAdjustments,
    getConversions,
    getDelivery,
    getEvent,
    getDeadLetters,
    getDeadLetter,
    postDeadLettersReplay,
    postDeadLetterReplay,
    deleteDeadLetter,
    getAccounts,
    getAccount,
    postAccount,
    patchAccount,
    deleteAccount,
    getApiKeys,
    getApiKey,
    postApiKey,
    patchApiKey,
    deleteApiKey,
    getDestinations,
    postDestination,
    getDestination,
    patchDestination,
    deleteDestination,
    getAssociations,
    postAssociations,
    deleteAssociations,
    getDestinationMetrics,
    getQuality,
    conversionActions,
    postWhatsappConversion,
    getWhatsappConversions,
    getDataset,
    postDataset,
    getCaptured,
    putConversation,
  ];
  for (const route of routes) route(app, deps);
}

/** For probes and Prometheus: without an API key, outside the versioned API. */
export function installOpsRoutes(app: ApiApp, deps: ApiDeps): void {
  getHealthz(app);
  getReadyz(app, deps);
  getMetrics(app, deps);
}
