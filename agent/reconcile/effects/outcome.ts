import type { EventDetails, ObjectOutcome } from '../../../lib/fleet/protocol/agent-protocol.ts';
import { redactText } from '../../../lib/platform/redaction.ts';
import type { ObjectRef } from '../../cluster/cluster.ts';
import { MESSAGES } from '../../operator-messages.ts';
import { objectText } from '../desired/object-key.ts';

/** How an attempt on a stack ended, before it is put on the wire. */
export interface Outcome {
  status: 'SUCCESS' | 'FAILURE';
  /** One sentence about the whole, without anything that differs between two equal attempts. */
  summary: string;
  objects: ObjectOutcome[];
  /** A failure that may pass without anybody's doing: what the cluster was too busy for, or a kind that is still to come. */
  mayPass?: boolean;
  /** It waits for the confirmation of a mass deletion. */
  held?: boolean;
  /** Not all that left the stack is gone. */
  unfinished?: boolean;
}

const MESSAGE_CHARACTERS_MAX = 4000;
const OBJECTS_MAX = 200;
const OBJECT_MESSAGE_CHARACTERS_MAX = 500;

type Result = Pick<ObjectOutcome, 'action'> & Partial<Pick<ObjectOutcome, 'because' | 'health' | 'message'>>;

export const objectOutcome = (ref: ObjectRef, { message, ...result }: Result): ObjectOutcome => ({
  api_version: ref.apiVersion,
  kind: ref.kind,
  namespace: ref.namespace ?? null,
  name: ref.name,
  ...result,
  ...(message !== undefined && { message: cut(message, OBJECT_MESSAGE_CHARACTERS_MAX) }),
});

export const isBad = ({ action, health }: ObjectOutcome): boolean => action === 'failed' || health === 'failed';

/** For people: the failing objects first, then the whole. Registries and webhooks quote addresses and tokens that are in no object. */
export function outcomeMessage({ summary, objects }: Outcome): string {
  const bad = objects.filter((object) => isBad(object) || (object.message !== undefined && object.health === 'progressing'));
  const lines = bad.map((object) => `${objectText(refIn(object))}: ${object.message ?? object.because ?? object.health ?? object.action}`);
  let message = '';
  for (const [index, line] of lines.entries()) {
    const rest = `… and ${lines.length - index} more`;
    if (message.length + line.length + rest.length + summary.length + 3 > MESSAGE_CHARACTERS_MAX) {
      message += `${rest}\n`;
      break;
    }
    message += `${line}\n`;
  }
  return cut(redactText(`${message}${summary}`), MESSAGE_CHARACTERS_MAX);
}

export function outcomeDetails(stackId: string, { objects }: Outcome, durationMs: number): EventDetails {
  const counts: Record<string, number> = {};
  for (const { action } of objects) counts[action] = (counts[action] ?? 0) + 1;
  const first = [...objects]
    .sort((a, b) => severity(a) - severity(b))
    .slice(0, OBJECTS_MAX)
    .map(withoutSecrets);
  return { stack_id: stackId, objects_total: objects.length, counts, objects: first, duration_ms: Math.max(0, Math.round(durationMs)) };
}

const withoutSecrets = (object: ObjectOutcome): ObjectOutcome =>
  object.message === undefined ? object : { ...object, message: redactText(object.message) };

const severity = (object: ObjectOutcome): number =>
  isBad(object) ? 0 : object.health === 'progressing' ? 1 : object.action === 'unchanged' ? 3 : 2;

export const refIn = ({ api_version, kind, namespace, name }: ObjectOutcome): ObjectRef => ({
  apiVersion: api_version,
  kind,
  ...(namespace !== null && { namespace }),
  name,
});

const cut = (text: string, characters: number): string => (text.length <= characters ? text : `${text.slice(0, characters - 1)}…`);

/** `3 created, 1 configured`, and which objects were adopted: it is news that they were there before. */
export function countsText(objects: readonly ObjectOutcome[]): string {
  const counts = new Map<string, number>();
  for (const { action } of objects) counts.set(action, (counts.get(action) ?? 0) + 1);
  const text = [...counts].map(([action, count]) => `${count} ${action}`).join(', ') || MESSAGES.nothingToDo();
  const adopted = objects.filter(({ action }) => action === 'adopted').map((object) => objectText(refIn(object)));
  return adopted.length === 0 ? text : MESSAGES.adopted(text, named(adopted));
}

const NAMED_MAX = 20;

const named = (names: readonly string[]): string => `${names.slice(0, NAMED_MAX).join(', ')}${names.length > NAMED_MAX ? ', …' : ''}`;

/** An object that was missing may be there again because of somebody else. */
export const isCorrection = ({ action }: ObjectOutcome): boolean => action === 'corrected' || action === 'adopted';

/** `2 objects have drifted and stay as they are: ConfigMap/shop/a (data.colour had been changed), Service/shop/web (missing)` */
export function driftText(objects: readonly ObjectOutcome[]): string {
  const names = objects.map((object) => `${objectText(refIn(object))} (${object.message ?? object.because})`);
  return MESSAGES.drifted(objects.length, named(names));
}

/** `corrected 2 objects: ConfigMap/shop/a (data.colour had been changed), Service/shop/web (missing)` */
export function correctionText({ objects }: Outcome): string {
  const corrected = objects.filter(isCorrection);
  const names = corrected.map((object) => `${objectText(refIn(object))} (${object.message ?? object.because})`);
  return MESSAGES.corrected(corrected.length, named(names));
}
