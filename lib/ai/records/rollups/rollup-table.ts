import type { Key } from '../../../platform/database/database.ts';
import { usageTable } from '../../usage-table.ts';

/**
 * The part of the usage table that belongs to rollups. Everything in it expires.
 *
 * | who asks                                | what                          | where                                             | cost    |
 * | --------------------------------------- | ----------------------------- | ------------------------------------------------- | ------- |
 * | analytics of a project, over a time     | one row for each bucket       | `ROLLUP#<project>#<grain>#all` `<start>#`         | 1 query |
 * | the same by provider, model or key      | a row for each bucket and value | `ROLLUP#<project>#<grain>#<dimension>` `<start>#<value>` | 1 query |
 * | consumer of records                     | adds a batch                  | one update for each row, in one transaction       | 2 each  |
 *
 * A batch of records is folded before it is written, so that a row is written once for each batch, however many calls it counts.
 */
export const rollupTable = usageTable;

export const GRAINS = {
  minute: { ms: 60_000, days: 7 },
  quarter: { ms: 900_000, days: 7 },
  hour: { ms: 3_600_000, days: 396 },
  day: { ms: 86_400_000, days: 1_826 },
} as const;
export type Grain = keyof typeof GRAINS;
export const DIMENSIONS = ['all', 'provider', 'model', 'api_key'] as const;
export type Dimension = (typeof DIMENSIONS)[number];

export const bucketStart = (grain: Grain, atMs: number): number => Math.floor(atMs / GRAINS[grain].ms) * GRAINS[grain].ms;

/** Sorts by time as numbers do. */
const stamp = (startMs: number) => new Date(startMs).toISOString().slice(0, 16);

export const rollupPk = (projectId: string, grain: Grain, dimension: Dimension): string => `ROLLUP#${projectId}#${grain}#${dimension}`;
export const rollupKey = (projectId: string, grain: Grain, dimension: Dimension, startMs: number, value: string): Key => ({
  pk: rollupPk(projectId, grain, dimension),
  sk: `${stamp(startMs)}#${value}`,
});
/** The range of sort keys of the buckets that begin in this time; the end is excluded. */
export const rollupRange = (fromMs: number, toMs: number): { from: string; to: string } => ({ from: stamp(fromMs), to: stamp(toMs) });
