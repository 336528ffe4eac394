/** The reservation of one call in every scope that limits it: all of them, or none. */
export interface Reservation {
  /** The tokens that remain in this minute; absent if the key has no limit of tokens. */
  tokens?: LimitState;
  /** Settles with what the call really used. May be called again and late; only the first call counts. Never rejects. */
  settle(actual: { cost_pico_usd: bigint; tokens: number }): Promise<void>;
}

export interface ReservationRequest {
  request_id: string;
  /** Upper estimates. */
  cost_pico_usd: bigint;
  tokens: number;
  /** The reservation returns to the budget by itself after this time. */
  lease_ms: number;
}

/** What the headers of an answer say about a limit. */
export interface LimitState {
  limit: number;
  remaining: number;
  /** Epoch milliseconds at which the window ends. */
  resets_at_ms: number;
  /** The store could not be asked, and the call was let through without being counted. */
  unchecked?: boolean;
}
