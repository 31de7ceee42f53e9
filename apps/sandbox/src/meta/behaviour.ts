import type { SandboxCore } from '../core/types.ts';
import type { MessagingScene } from '../whatsapp/check-messaging.ts';
import type { Locale } from './errors.ts';

/** The switches of one request, read once: a thousand events are judged by them. */
export interface Behaviour {
  readonly nowSeconds: number;
  readonly physicalStoreDays: number;
  readonly futureSeconds: number;
  readonly strictWebsite: boolean;
  readonly websiteNeedsUrl: boolean;
  readonly strictIp: boolean;
  readonly poisonNamesIndex: boolean;
  readonly locale: Locale;
  /** What a messaging event to this dataset is held against. */
  readonly messaging: MessagingScene;
}

export function readBehaviour(core: SandboxCore, messaging: MessagingScene): Behaviour {
  return {
    nowSeconds: Math.floor(core.now() / 1000),
    physicalStoreDays: core.switchOf<number>('meta.physicalStoreDays', 62),
    futureSeconds: core.switchOf<number>('meta.futureSeconds', 60),
    strictWebsite: core.switchOf<boolean>('meta.strictWebsite', false),
    websiteNeedsUrl: core.switchOf<boolean>('meta.websiteNeedsUrl', true),
    strictIp: core.switchOf<boolean>('meta.strictIp', true),
    poisonNamesIndex: core.switchOf<boolean>('meta.poisonNamesIndex', false),
    locale: core.switchOf<string>('meta.locale', 'en') === 'de' ? 'de' : 'en',
    messaging,
  };
}
