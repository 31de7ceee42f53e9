/**
 * One line of a sample file: the API's event, with `secondsAgo` in place of `eventTime`, so that the files never grow old.
 * `relay send --rebase` and the demo turn it into `eventTime` when they send. Below zero: in the future.
 * Written out here because the sandbox shares no code with the relay.
 */
export interface SampleEvent {
  readonly eventName: string;
  readonly secondsAgo: number;
  readonly eventId: string;
  readonly value?: number;
  readonly currency?: string;
  readonly user: SampleUser;
  readonly items?: readonly { readonly id: string; readonly name: string; readonly price: number; readonly quantity: number; readonly category?: string }[];
  readonly sourceUrl?: string;
  readonly actionSource?: 'web' | 'app' | 'offline' | 'crm' | 'phone_call' | 'system_generated';
  readonly platformData?: Readonly<Record<string, unknown>>;
}

export interface SampleUser {
  readonly email?: string;
  readonly phone?: string;
  readonly firstName?: string;
  readonly lastName?: string;
  readonly externalId?: string;
  readonly ipAddress?: string;
  readonly userAgent?: string;
  readonly country?: string;
  readonly city?: string;
  readonly state?: string;
  readonly zip?: string;
  readonly dob?: string;
  readonly gender?: string;
  readonly clickIds?: Readonly<Partial<Record<'fbc' | 'fbp' | 'gclid' | 'gbraid' | 'wbraid' | 'li_fat_id', string>>>;
}

export const MINUTE = 60;
export const HOUR = 3600;
export const DAY = 86_400;
