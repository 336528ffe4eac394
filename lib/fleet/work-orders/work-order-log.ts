import { gunzipSync, gzipSync } from 'node:zlib';
import * as z from 'zod';
import type { Item, Write } from '../../platform/database/database.ts';
import { isExpired } from '../../platform/database/table.ts';
import { readNewestFirst } from '../../platform/database/time-order.ts';
import { cursorParameter } from '../../platform/list-cursor.ts';
import { collectPage, type ListPage, LONGEST_PAGE, type PageRequest } from '../../platform/list-page.ts';
import type { FleetPorts } from '../fleet-ports.ts';
import { WorkOrderLog } from '../protocol/work-order-protocol.ts';
import { readYaml } from './work-order-repository.ts';
import { orderLogKey, orderLogListKey, orderLogOwnerKey, orderLogOwnerPk, orderLogPks, workOrdersTable } from './work-orders-table.ts';

const table = workOrdersTable.name;

/** A log entry as it is stored. Its YAML lies where it lay before the order ended. */
export const StoredLog = WorkOrderLog.omit({ yaml_content: true }).extend({
  generator_id: z.guid().nullable(),
  /** The token of the last claim, to recognize a completion that comes twice. */
  token: z.string().nullable(),
  body_chunks: z.int(),
});
export type StoredLog = z.infer<typeof StoredLog>;

/** Writes the entry once, and its places in the lists of all orders and of its generator's. A place has what a list can be searched by. */
export function logWrites({ result_details, ...entry }: StoredLog, expires_at: number): Write[] {
  const details = result_details && { details: gzipSync(JSON.stringify(result_details)) };
  const { id, work_type, success, claimed_by, generator_id, completed_at } = entry;
  const listed = { type: 'order-log-ref', id, work_type, success, claimed_by, expires_at };
  const places = [orderLogListKey(completed_at, id), ...(generator_id === null ? [] : [orderLogOwnerKey(generator_id, completed_at, id)])];
  return [
    { table, put: { ...orderLogKey(id), type: 'order-log', ...entry, ...details, expires_at } as Item, if: { exists: false } },
    ...places.map((key): Write => ({ table, put: { ...key, ...listed } as Item })),
  ];
}

const entryOf = ({ details, ...item }: Item): StoredLog =>
  StoredLog.parse({ ...item, ...(details instanceof Uint8Array && { result_details: JSON.parse(gunzipSync(details).toString()) }) });

export async function findLogEntry({ database, clock }: FleetPorts, id: string): Promise<StoredLog | undefined> {
  const item = await database.get(table, orderLogKey(id));
  return item && !isExpired(item, clock.nowMs()) ? entryOf(item) : undefined;
}

/** The entry as the wire shows it, with its YAML, which is read unless it is given. */
export async function readLog({ database }: FleetPorts, entry: StoredLog, yaml?: string): Promise<WorkOrderLog> {
  const { generator_id: _owner, token: _token, body_chunks: _chunks, ...shown } = entry;
  return { ...shown, yaml_content: yaml ?? (await readYaml(database, [entry])).get(entry.id) ?? '' };
}

export interface LogSearch extends PageRequest {
  work_type?: string | undefined;
  success?: boolean | undefined;
  agent_id?: string | undefined;
  /** Only orders of this generator. */
  generator_id?: string | undefined;
}

/** Whether a text is a place in the log: a time and an id. */
export const LogCursor = cursorParameter((place) => /^\d{4}-\d\d-\d\dT[\d:.]{8,12}Z#[0-9a-f-]{36}$/.test(place));

/** One answer reads at most this many places, however few of them are wanted: about 300 read units. */
const PLACES_READ = 10_000;
const READ_AT_ONCE = 25;

/** Lists finished orders, the last completed first. An entry costs two reads. */
export async function listLog(ports: FleetPorts, search: LogSearch): Promise<ListPage<WorkOrderLog>> {
  const { limit = LONGEST_PAGE, cursor, work_type, success, agent_id, generator_id } = search;
  const page = collectPage<WorkOrderLog>(limit);
  if (limit === 0) return { items: [] };
  const wanted = { work_type, success, claimed_by: agent_id };
  const batches = readNewestFirst(ports.database, table, {
    pks: generator_id === undefined ? orderLogPks : [orderLogOwnerPk(generator_id)],
    between: { from: '0', to: '9' },
    behind: cursor,
    filter: { equals: Object.fromEntries(Object.entries(wanted).filter(([, value]) => value !== undefined)) },
    fields: ['id', 'expires_at'],
    firstPage: Math.min(100, Math.ceil(limit / 8) + 1),
  });
  let read = 0;
  let last = cursor ?? '';
  for await (const batch of batches) {
    const places = batch.items.filter((item) => !isExpired(item, ports.clock.nowMs()));
    for (let from = 0; from < places.length; from += READ_AT_ONCE) {
      const some = places.slice(from, from + READ_AT_ONCE);
      const entries = await entriesOf(ports, some);
      for (const [index, entry] of entries.entries()) {
        if (entry && !page.add(entry)) return { items: page.items, next: last };
        last = some[index]?.sk ?? last;
      }
    }
    read += batch.read;
    if (batch.reached !== undefined && read >= PLACES_READ) return { items: page.items, next: batch.reached };
  }
  return { items: page.items };
}

/** The entries at these places, in their order. */
async function entriesOf(ports: FleetPorts, places: readonly Item[]): Promise<(WorkOrderLog | undefined)[]> {
  const items = await ports.database.batchGet(
    table,
    places.map(({ id }) => orderLogKey(String(id))),
  );
  const entries = items.map(entryOf);
  const yaml = await readYaml(ports.database, entries);
  const byId = new Map(entries.map((entry) => [entry.id, entry]));
  return Promise.all(
    places.map(({ id }) => {
      const entry = byId.get(String(id));
      return entry && readLog(ports, entry, yaml.get(entry.id) ?? '');
    }),
  );
}
