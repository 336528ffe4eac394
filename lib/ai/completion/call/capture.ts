import type { CallRecord } from '../../records/call-record.ts';
import { redactMembers } from '../../records/redact-members.ts';
import type { ChatChunk, ChatCompletion } from '../../wire/chat.ts';
import type { CallJournal } from './call-journal.ts';
import type { IncomingCall, RunningCall } from './running-call.ts';

/** The most that is kept of a request or of an answer. A record travels through a queue, whose messages hold 256 KiB. */
const MOST_BYTES = 64 * 1024;

export function keepRequest(journal: CallJournal, call: IncomingCall): void {
  journal.kept = { request: 'request' in call ? call.request : null, answer: null, streamed: undefined, bytes: 0 };
}

export function keepAnswer({ journal }: RunningCall, { choices }: ChatCompletion): void {
  if (journal.kept) journal.kept.answer = { choices };
}

export function keepChunk({ journal }: RunningCall, { choices }: ChatChunk): void {
  const { kept } = journal;
  if (!kept || kept.bytes > MOST_BYTES) return;
  kept.streamed ??= { content: [], reasoning: [], tool_calls: [] };
  const { content, reasoning, tool_calls } = kept.streamed;
  for (const { index, delta } of choices) {
    if (delta.content) content[index] = (content[index] ?? '') + delta.content;
    if (delta.reasoning_content) reasoning[index] = (reasoning[index] ?? '') + delta.reasoning_content;
    if (delta.tool_calls) tool_calls.push(...delta.tool_calls);
    kept.bytes += JSON.stringify(delta).length;
  }
}

/** The payload as the record has it: without the members that the project redacts, cut to a size, and sealed. */
export async function sealedPayload({ ports, call, journal, settings }: RunningCall): Promise<CallRecord['payload']> {
  const { kept } = journal;
  if (!kept) return null;
  const request = cut(redactMembers(kept.request, settings.redact));
  const answer = cut(redactMembers(kept.streamed ?? kept.answer, settings.redact));
  const text = JSON.stringify({ request: request.value, answer: answer.value });
  try {
    const sealed = await ports.seal(text, `payload ${call.principal.project_id} ${call.request_id}`);
    return { sealed, truncated: request.truncated || answer.truncated };
  } catch (error) {
    // A payload that can't be sealed is not kept, and the call doesn't fail for it.
    call.log.error('payload_not_sealed', { error });
    return { sealed: '', truncated: true };
  }
}

function cut(value: unknown): { value: unknown; truncated: boolean } {
  const text = JSON.stringify(value) ?? 'null';
  if (Buffer.byteLength(text) <= MOST_BYTES) return { value, truncated: false };
  // A part of a JSON text is a text.
  return { value: Buffer.from(text).subarray(0, MOST_BYTES).toString(), truncated: true };
}
