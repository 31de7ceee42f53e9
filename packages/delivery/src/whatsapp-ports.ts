/** What a click-to-WhatsApp ad left on a conversation; the names are those of the conversation's metadata in the API. */
export interface CtwaMetadata {
  readonly ctwa_clid?: string | undefined;
  /** ISO 8601: when the click's message came. */
  readonly ctwa_captured_at: string;
  readonly ctwa_source_id?: string | undefined;
  readonly ctwa_source_url?: string | undefined;
  readonly ctwa_headline?: string | undefined;
  readonly ctwa_source_type?: string | undefined;
}

export interface Conversation {
  /** Of its account alone. */
  readonly id: string;
  readonly accountId: string;
  /** Digits only. `undefined`: Meta showed no number. */
  readonly phoneE164: string | undefined;
  /** `undefined`: no message of it came from an ad. */
  readonly ctwa: CtwaMetadata | undefined;
  readonly createdAtMs: number;
  readonly updatedAtMs: number;
}

/** One inbound message, as far as it says who wrote and where they came from. */
export interface Capture {
  readonly accountId: string;
  /** Meta's message id: the same message delivered twice changes nothing. */
  readonly messageId: string;
  /** Ways in which Meta names the writer: number, WhatsApp id, business-scoped user id. At least one. */
  readonly identities: readonly string[];
  readonly phoneE164: string | undefined;
  readonly ctwa: CtwaMetadata | undefined;
}

export interface ImportResult {
  readonly conversation: Conversation;
  readonly created: boolean;
}

/** Conversations with their click, once captured never overwritten; numbers are sealed and found by a keyed hash. */
export interface ConversationStore {
  /** All of one webhook in one atomic step. */
  capture(captures: readonly Capture[]): Promise<void>;
  /** Ids are each account's own: the same one on another account is another conversation. */
  get(accountId: string, id: string): Promise<Conversation | undefined>;
  /** The most recently captured click of this number on this account. */
  findByPhone(accountId: string, phoneE164: string): Promise<Conversation | undefined>;
  /** Whether there is a conversation with this number at all: tells "no ad" from "never wrote". */
  knowsPhone(accountId: string, phoneE164: string): Promise<boolean>;
  /** Newest activity first. */
  list(accountId: string, limit: number, offset: number): Promise<readonly Conversation[]>;
  /** A conversation that was captured elsewhere. A click that is there stays. */
  put(id: string, input: { readonly accountId: string; readonly phoneE164: string | undefined; readonly ctwa: CtwaMetadata | undefined }): Promise<ImportResult>;
}
