import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { type GatewayWorld, gatewayWorld, readAll } from './gateway-world.ts';
import {
  answers,
  chunk,
  completion,
  fails,
  type Piece,
  reset,
  type Script,
  type ScriptedUpstream,
  silence,
  startUpstream,
  streams,
  streamsTexts,
} from './scripted-upstream.ts';

const CALLS = 2_000;
const AT_ONCE = 32;
/** Seconds of silence that are taken for a stall; a whole answer has ten times as long. */
const STALL_SECONDS = 0.1;

/** Two providers: the first one has every fault, the second one is well. The first one is always asked first. */
let ill: ScriptedUpstream;
let well: ScriptedUpstream;
let world: GatewayWorld;
beforeAll(async () => {
  ill = await startUpstream((call, response) => fault(call.body.stream === true)(call, response));
  well = await startUpstream((call, response) =>
    (call.body.stream ? streamsTexts('Hel', 'lo') : answers(completion('Hello')))(call, response),
  );
  world = gatewayWorld([{ url: ill.url, more: { timeout_seconds: STALL_SECONDS } }, { url: well.url }]);
});
afterAll(async () => {
  await world.close();
  await ill.close();
  await well.close();
});

/** The same numbers in each run: a linear congruential generator with the constants of Numerical Recipes. */
let seed = 20_260_107;
function random(below: number): number {
  seed = (Math.imul(seed, 1_664_525) + 1_013_904_223) >>> 0;
  return Math.floor((seed / 2 ** 32) * below);
}
const oneOf = <T>(list: readonly T[]): T => list[random(list.length)] as T;

const REFUSALS: readonly Script[] = [
  fails(429),
  fails(500),
  fails(503, 'busy', { 'retry-after': '1' }),
  (_call, response) => reset(response),
  () => silence(),
  answers({ error: { message: 'worker full' } }),
  answers('<html>busy</html>', 200, { 'content-type': 'text/html' }),
];
const BAD_ANSWERS: readonly Script[] = [...REFUSALS, answers('{"id":"chatcmpl-1","choi'), answers({ choices: [{}] })];
const head = chunk({ role: 'assistant', content: '' });
/** What may come instead of the rest of a stream. */
const ENDS: readonly Piece[][] = [
  [reset],
  [],
  [silence],
  ['data: {"id":\n\n', silence],
  [{ error: { message: 'overloaded', code: 503 } }],
  [chunk({}, 'error')],
];

/** One fault of the first provider. A third of the streams break after content. */
function fault(streamed: boolean): Script {
  if (!streamed) return oneOf(BAD_ANSWERS);
  if (random(3) === 0) return streams(head, ...Array.from({ length: 1 + random(5) }, () => chunk({ content: 'Hel' })), ...oneOf(ENDS));
  return random(2) === 0 ? oneOf(REFUSALS) : streams(...(random(2) === 0 ? [head] : []), ...oneOf(ENDS));
}

test(`of ${CALLS} calls with a fault each, all that had no content yet are answered by the other provider, and no stream ends silently`, async () => {
  const outcomes = { answered: 0, interrupted: 0, silent: 0, failed: 0 };
  let left = CALLS;
  const caller = async () => {
    while (left-- > 0) {
      const stream = random(2) === 0;
      try {
        const answer = await world.chat({ stream });
        if (answer.kind !== 'stream') outcomes.answered += answer.completion.choices[0]?.message.content === 'Hello' ? 1 : 0;
        else {
          const { text, done, failure } = await readAll(answer);
          if (done && text === 'Hello') outcomes.answered += 1;
          else if (!done && failure === 'upstream_stream_interrupted' && /^(Hel)+$/.test(text)) outcomes.interrupted += 1;
          else outcomes.silent += 1;
        }
      } catch {
        outcomes.failed += 1;
      }
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, caller));
  expect(outcomes).toEqual({ answered: expect.any(Number), interrupted: expect.any(Number), silent: 0, failed: 0 });
  expect(outcomes.answered + outcomes.interrupted).toBe(CALLS);
  // A sixth of all calls are streams that break after content: nobody else can answer those.
  expect(outcomes.interrupted).toBeLessThan(CALLS / 4);
  expect(world.records).toHaveLength(CALLS);
  expect(world.records.filter(({ outcome }) => outcome === 'success')).toHaveLength(outcomes.answered);
}, 120_000);
