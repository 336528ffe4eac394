import * as z from 'zod';

/** The message that carries an event through a queue. */
export const Envelope = z.object({ id: z.string(), event: z.string(), data: z.unknown() });
export type Envelope = z.infer<typeof Envelope>;

/** SQS refuses a whole batch for one of these two characters; JSON can write them as escapes. */
const REFUSED_BY_SQS = /[\uFFFE\uFFFF]/g;

/** A JSON text without the two characters. */
export const queueText = (json: string): string =>
  json.replace(REFUSED_BY_SQS, (character) => `\\u${character.charCodeAt(0).toString(16)}`);

export const encodeEnvelope = ({ id, event, data }: Envelope): string => queueText(JSON.stringify({ id, event, data } satisfies Envelope));
