/**
 * A provider's own answer, carried along with its translation, for a front that speaks the same language: it can pass the answer on as it
 * came. The members have a symbol for a name, so that they are copied with the object and never written as JSON.
 */
const EVENTS = Symbol('events of the provider');
const BODY = Symbol('answer of the provider');

/** One event of a provider's stream. `data` is its JSON text. */
export interface NativeEvent {
  type: string;
  data: string;
}

/** Returns the chunk with the events that it was made of. Events that made no chunk travel with the next one. */
export const withNativeEvents = <Chunk extends object>(chunk: Chunk, events: readonly NativeEvent[]): Chunk =>
  Object.assign(chunk, { [EVENTS]: events });
export const nativeEventsOf = (chunk: object): readonly NativeEvent[] | undefined =>
  EVENTS in chunk ? (chunk[EVENTS] as readonly NativeEvent[]) : undefined;

export const withNativeBody = <Answer extends object>(answer: Answer, body: Readonly<Record<string, unknown>>): Answer =>
  Object.assign(answer, { [BODY]: body });
export const nativeBodyOf = (answer: object): Readonly<Record<string, unknown>> | undefined =>
  BODY in answer ? (answer[BODY] as Readonly<Record<string, unknown>>) : undefined;
