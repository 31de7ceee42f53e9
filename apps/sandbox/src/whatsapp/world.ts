/** A tap on an ad that leads to WhatsApp. */
export interface Click {
  readonly adId: string;
  /** The Page that the ad belongs to. */
  readonly pageId: string;
  /** The WhatsApp Business Account that was written to. */
  readonly wabaId: string;
}

/** What happened since the start: who tapped what, and which accounts have a dataset. */
export interface WhatsappWorld {
  clickOf(ctwaClid: string): Click | undefined;
  addClick(ctwaClid: string, click: Click): void;
  datasetOf(wabaId: string): string | undefined;
  /** An account has one dataset at most: a second call answers with the first one. */
  createDataset(wabaId: string): string;
  accountOf(datasetId: string): string | undefined;
  reset(): void;
}

/** The same account gets the same id again after a reset, so that what a relay has stored fits once it asks again. */
const datasetIdOf = (wabaId: string) => `5${wabaId.slice(-15).padStart(15, '0')}`;

export function createWhatsappWorld(): WhatsappWorld {
  const clicks = new Map<string, Click>();
  const datasets = new Map<string, string>();
  const accounts = new Map<string, string>();
  return {
    clickOf: (ctwaClid) => clicks.get(ctwaClid),
    addClick: (ctwaClid, click) => void clicks.set(ctwaClid, click),
    datasetOf: (wabaId) => datasets.get(wabaId),
    createDataset(wabaId) {
      const datasetId = datasetIdOf(wabaId);
      datasets.set(wabaId, datasetId);
      accounts.set(datasetId, wabaId);
      return datasetId;
    },
    accountOf: (datasetId) => accounts.get(datasetId),
    reset() {
      clicks.clear();
      datasets.clear();
      accounts.clear();
    },
  };
}
