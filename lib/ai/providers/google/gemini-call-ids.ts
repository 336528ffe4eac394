import { newId } from '../../../platform/ids.ts';

/** An id for a call that came without one, in the form that OpenAI's clients expect. */
export const newCallId = (): string => `call_${newId().replaceAll('-', '').slice(0, 24)}`;

/** An id goes back to Google if Google gave it. Ids that the gateway, OpenAI or Anthropic made mean nothing there. */
export const nativeId = (id: unknown): { id?: string } =>
  typeof id === 'string' && id !== '' && !/^(call|toolu|fc)_/.test(id) ? { id } : {};
