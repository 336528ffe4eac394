import { workOrderDispatch } from '../../../../functions/consumers/work-order-dispatch.ts';
import { outboxSweep } from '../../../../functions/schedules/outbox-sweep.ts';
import type { Services } from '../../../../functions/services.ts';
import type { Caller } from '../../../../lib/fleet/fleet-ports.ts';
import { createWorkOrder } from '../../../../lib/fleet/work-orders/create-work-order.ts';
import { listOrders } from '../../../../lib/fleet/work-orders/work-order-lists.ts';
import { listLog } from '../../../../lib/fleet/work-orders/work-order-log.ts';
import type { Clock } from '../../../../lib/platform/clock.ts';
import { eachBounded } from '../../../../lib/platform/each-bounded.ts';
import { AppError } from '../../../../lib/platform/errors.ts';
import { consumeBatch } from '../../../../lib/platform/events/consumer.ts';
import { newId } from '../../../../lib/platform/ids.ts';
import type { ListPage } from '../../../../lib/platform/list-page.ts';
import { faultyDatabase, serverInstance } from './server-instances.ts';
import { type SimulatedAgent, simulatedAgent, type Witness } from './simulated-agent.ts';

const STEP_MS = 1_000;
const SERVERS = 3;
/** So many agents, or messages, are at work at the very same moment. */
const AT_ONCE = 4;
const ADMIN: Caller = { principal: { type: 'admin' } };
const JOB = 'apiVersion: batch/v1\nkind: Job\nmetadata: {name: one}\n';

export interface FleetOptions {
  services: Services;
  agentIds: readonly string[];
  /** The label that all agents have. */
  label: string;
  orders: number;
  random: () => number;
  /** Each server's clock differs from the true time by up to so much. */
  serverClocksOffMs: number;
  /** Lost answers and calls of the store, killed agents, messages that come twice, late or in another order. */
  faults: boolean;
}

export interface Outcome {
  attempts: number;
  wins: number;
  /** Orders that two agents counted on at one moment. */
  heldTwice: string[];
  made: string[];
  /** The ids of the log's entries. */
  logged: string[];
  left: number;
  virtualSeconds: number;
}

/** Runs a fleet in virtual time until no order is left, at most for a virtual day. */
export async function runFleet(options: FleetOptions): Promise<Outcome> {
  const { services, agentIds, label, orders, random, serverClocksOffMs, faults } = options;
  const startMs = Date.now();
  let passedMs = 0;
  const nowMs = () => startMs + passedMs;
  const clockOff = (offMs: number): Clock => ({
    nowMs: () => nowMs() + offMs,
    monotonicMs: () => passedMs,
    sleep: () => new Promise((resolve) => setImmediate(resolve)),
  });
  const store = faults ? faultyDatabase(services.database, { lostAnswers: 0.01, lostCalls: 0.003, random }) : services.database;
  const servers = Array.from({ length: SERVERS }, (_, n) =>
    serverInstance(services, { clock: clockOff(((2 * n) / (SERVERS - 1) - 1) * serverClocksOffMs), database: store }),
  );
  const server = () => servers[Math.floor(random() * SERVERS)] ?? services;
  const queue = virtualQueue({ services, server, nowMs, random, faults });
  const witness = watchLeases(nowMs);
  const agents = agentIds.map((id) => simulatedAgent({ id, server, nowMs, random, witness, workMs: { from: 5_000, to: 45_000 } }));
  const targeting = { agent_ids: [], labels: [label], annotations: {} };
  const work_type = newId().slice(0, 8);
  const order = { work_type, yaml_content: JOB, max_retries: 2, backoff_seconds: 5, claim_timeout_seconds: 600, targeting };
  await eachBounded(Array.from({ length: orders }), 20, () =>
    createWorkOrder(server(), ADMIN, { ...order, fan_out: 'any' }).catch(unlessSilent),
  );
  const live = () => idsOf((cursor) => listOrders(services, { work_type, cursor }));
  const made = await live();
  let left = made.length;
  for (; left > 0 && passedMs < 86_400_000; passedMs += STEP_MS) {
    await queue.deliver();
    await eachBounded(shuffled(agents, random), AT_ONCE, (agent) => agent.step());
    if (faults) killSome(agents, random);
    if (passedMs % 60_000 === 0) await outboxSweep.run(server()).catch(unlessSilent);
    if (passedMs % 30_000 === 0) left = (await live()).length;
  }
  const logged = await idsOf((cursor) => listLog(services, { work_type, cursor }));
  const { attempts, wins, heldTwice } = witness;
  return { attempts, wins, heldTwice, made, logged, left, virtualSeconds: passedMs / 1_000 };
}

/** The ids on all pages of a list. */
async function idsOf(read: (cursor: string | undefined) => Promise<ListPage<{ id: string }>>): Promise<string[]> {
  const ids: string[] = [];
  for (let cursor: string | undefined, more = true; more; more = cursor !== undefined) {
    const page = await read(cursor);
    ids.push(...page.items.map(({ id }) => id));
    cursor = page.next;
  }
  return ids;
}

const shuffled = <T>(items: readonly T[], random: () => number): T[] =>
  items
    .map((item) => ({ item, place: random() }))
    .sort((a, b) => a.place - b.place)
    .map(({ item }) => item);

/** An agent dies about every twenty seconds, and comes back after some minutes. */
function killSome(agents: readonly SimulatedAgent[], random: () => number): void {
  if (random() > 0.05) return;
  agents[Math.floor(random() * agents.length)]?.die(60_000 + random() * 240_000);
}

function unlessSilent(error: unknown): void {
  if (!(error instanceof AppError) || error.kind !== 'unavailable') throw error;
}

/** A queue that delivers at least once and in any order: some messages twice, some minutes late. It refuses some. A failed one comes again after a minute. */
function virtualQueue({
  services,
  server,
  nowMs,
  random,
  faults,
}: Pick<FleetOptions, 'services' | 'random' | 'faults'> & { server: () => Services; nowMs: () => number }) {
  let waiting: { body: string; atMs: number }[] = [];
  services.outbox.queues.send = async (_queue, sent) => {
    const refused: string[] = [];
    for (const { id, body, delaySeconds = 0 } of sent) {
      if (faults && random() < 0.01) {
        refused.push(id);
        continue;
      }
      const late = faults && random() < 0.02 ? random() * 300_000 : 0;
      const atMs = nowMs() + delaySeconds * 1_000;
      waiting.push({ body, atMs: atMs + late });
      if (faults && random() < 0.05) waiting.push({ body, atMs: atMs + random() * 120_000 });
    }
    return refused;
  };
  async function handle(body: string): Promise<void> {
    const done: unknown[] = [];
    await consumeBatch(workOrderDispatch, server(), [{ id: 'm', body, attempt: 1 }], {
      log: services.log,
      onDone: (delivery) => done.push(delivery),
      moveToDeadLetterQueue: () => Promise.reject(new Error(`rejected: ${body}`)),
    });
    if (done.length === 0) waiting.push({ body, atMs: nowMs() + 60_000 });
  }
  return {
    async deliver(): Promise<void> {
      const due = waiting.filter(({ atMs }) => atMs <= nowMs());
      waiting = waiting.filter(({ atMs }) => atMs > nowMs());
      await eachBounded(shuffled(due, random), AT_ONCE, ({ body }) => handle(body));
    },
  };
}

/** Notes which claims hold an order, in true time. */
function watchLeases(nowMs: () => number): Witness & { heldTwice: string[] } {
  const counted = new Map<string, { token: string; endMs: number }>();
  const heldTwice: string[] = [];
  const isOf = (orderId: string, token: string) => counted.get(orderId)?.token === token;
  return {
    attempts: 0,
    wins: 0,
    heldTwice,
    holds(orderId, token, endMs) {
      if ((counted.get(orderId)?.endMs ?? 0) > nowMs()) heldTwice.push(orderId);
      counted.set(orderId, { token, endMs });
    },
    until(orderId, token, endMs) {
      if (isOf(orderId, token)) counted.set(orderId, { token, endMs });
    },
    letsGo(orderId, token) {
      if (isOf(orderId, token)) counted.delete(orderId);
    },
  };
}
