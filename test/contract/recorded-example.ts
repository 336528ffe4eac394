import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import * as z from 'zod';
import type { Answer } from '../harness/client.ts';

/** One request to a running Brokkr 0.9.1 with its answer. Values of that run are placeholders: `<id agentA>`, `<time>`, `<run>`. */
const Recorded = z.object({
  request: z.string(),
  as: z.string(),
  status: z.int(),
  sent: z.unknown().optional(),
  type: z.string().optional(),
  answer: z.unknown().optional(),
});
export interface Example extends z.infer<typeof Recorded> {
  /** `METHOD path as caller → status`, below `/api/v1`, numbered from its second occurrence on. */
  key: string;
  method: string;
  path: string;
}

/** All examples, in the order of the recording. */
export function readExamples(): Example[] {
  const text = readFileSync(new URL('./fixtures/fleet-examples.jsonl', import.meta.url), 'utf8');
  const seen = new Map<string, number>();
  return text
    .split('\n')
    .filter(Boolean)
    .map((line) => {
      const recorded = Recorded.parse(JSON.parse(line));
      const [method = '', path = ''] = split(recorded.request);
      const name = `${method} ${path.replace('/api/v1', '')} as ${recorded.as} → ${recorded.status}`;
      const count = (seen.get(name) ?? 0) + 1;
      seen.set(name, count);
      return { ...recorded, method, path, key: count === 1 ? name : `${name} (${count})` };
    });
}

const split = (request: string) => [request.slice(0, request.indexOf(' ')), request.slice(request.indexOf(' ') + 1)];

/** The names in `<id name>` anywhere in a value. */
export const idsIn = (value: unknown): string[] => [
  ...new Set([...(JSON.stringify(value) ?? '').matchAll(/<id (\w+)>/g)].map(([, name]) => name ?? '')),
];

/** Brokkr's ids are of version 4; those of work orders are of version 7 here. Both are UUIDs to a client. */
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[47][0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;
const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+Z$/;
const PAK = /^brokkr_BR[1-9A-HJ-NP-Za-km-z]{6}_[1-9A-HJ-NP-Za-km-z]{32,33}$/;
const matching = (pattern: RegExp) => (value: unknown) => typeof value === 'string' && pattern.test(value);

/** The values that each placeholder matches. */
const PLACEHOLDERS: Record<string, (value: unknown) => boolean> = {
  '<id>': matching(UUID),
  '<time>': matching(TIME),
  '<time or null>': (value) => value === null || matching(TIME)(value),
  '<pak>': matching(PAK),
  '<seq>': (value) => Number.isSafeInteger(value) && Number(value) > 0,
  '<text>': matching(/\S/),
  string: matching(/\S/),
};

/** Resolves the ids and the run's own marks in a text of the recording. */
export interface Marks {
  run: string;
  /** Undefined if this world has no such thing; any id matches then. */
  idOf(name: string): string | undefined;
}

/**
 * The places where an answer lacks or contradicts something recorded. Additional members and list entries are fine. Recorded strings
 * must match exactly, placeholders by their kind.
 */
export function contradictions(expected: unknown, actual: unknown, marks: Marks, place = 'answer'): string[] {
  if (Array.isArray(expected)) {
    if (!Array.isArray(actual)) return [`${place} is not a list`];
    return expected.flatMap((entry, index) => {
      const tries = actual.map((candidate) => contradictions(entry, candidate, marks, `${place}[${index}]`));
      if (tries.some((found) => found.length === 0)) return [];
      return [`${place}[${index}] has no counterpart among ${actual.length}`, ...(tries.sort((a, b) => a.length - b.length)[0] ?? [])];
    });
  }
  if (typeof expected === 'object' && expected !== null) return membersMissing(expected, actual, marks, place);
  return matches(expected, actual, marks) ? [] : [`${place} is ${JSON.stringify(actual)}, not ${JSON.stringify(expected)}`];
}

function membersMissing(expected: object, actual: unknown, marks: Marks, place: string): string[] {
  if (typeof actual !== 'object' || actual === null || Array.isArray(actual)) return [`${place} is not an object`];
  const members = new Map(Object.entries(actual));
  return Object.entries(expected).flatMap(([name, value]) => {
    if (!members.has(name)) return [`${place}.${name} is missing`];
    const [, hashed] = /^<sha256 of (\w+)>$/.exec(String(value)) ?? [];
    if (hashed !== undefined) return members.get(name) === sha256(members.get(hashed)) ? [] : [`${place}.${name} is not the checksum`];
    return contradictions(value, members.get(name), marks, `${place}.${name}`);
  });
}

const sha256 = (text: unknown) => createHash('sha256').update(String(text)).digest('hex');

function matches(expected: unknown, actual: unknown, marks: Marks): boolean {
  if (typeof expected !== 'string') return expected === actual;
  const [, name] = /^<id (\w+)>$/.exec(expected) ?? [];
  if (name !== undefined) return matching(UUID)(actual) && [undefined, actual].includes(marks.idOf(name));
  return PLACEHOLDERS[expected]?.(actual) ?? expected.replaceAll('<run>', marks.run) === actual;
}

/** Everything in which an answer contradicts an example. */
export function deviations(example: Example, answer: Answer, marks: Marks): string[] {
  const found = example.status === answer.status ? [] : [`status ${answer.status} instead of ${example.status}`];
  if (example.answer === undefined) return answer.text === '' ? found : [...found, `a body: ${answer.text.slice(0, 200)}`];
  if (example.type === undefined) return [...found, ...contradictions(example.answer, answer.body, marks)];
  if (answer.headers['content-type'] !== example.type) found.push(`type ${answer.headers['content-type']} instead of ${example.type}`);
  return [...found, ...contradictions(example.answer, answer.text, marks)];
}
