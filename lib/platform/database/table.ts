/**
 * A table of the store. All have the same shape: partition key `pk` and sort key `sk`, both strings, billed on demand, and the
 * attribute `expires_at` (epoch seconds) for time to live if `timeToLive` is set. Reads test the time themselves: DynamoDB
 * deletes days late, and the embedded engine never.
 */
export interface Table {
  /** The table's name in the account is the stage's prefix and this. */
  name: string;
  timeToLive: boolean;
}

/** Epoch seconds `days` from now, for `expires_at`. */
export const expiresAt = (nowMs: number, days: number): number => Math.floor(nowMs / 1000) + days * 86_400;
export const isExpired = (item: Readonly<Record<string, unknown>>, nowMs: number): boolean =>
  typeof item.expires_at === 'number' && item.expires_at * 1000 <= nowMs;
