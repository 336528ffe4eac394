import type { ChunkDelta, FinishReason } from '../../wire/chat.ts';
import { withoutOddMembers } from './odd-members.ts';
import { createStopCutter } from './stop-cutter.ts';
import { createToolDeltas, type ToolDeltas } from './tool-deltas.ts';

/** What the rules for chunks remember of one choice. */
export interface ChoiceState {
  opened: boolean;
  finish: FinishReason | undefined;
  /** Our stop sequence has come. */
  readonly cut: boolean;
  readonly called: boolean;
  /** The delta as it may go out. */
  take(delta: ChunkDelta): { delta: ChunkDelta; changed: boolean };
  /** What was held, and with `complete` what the tool calls still need. */
  end(complete?: boolean): ChunkDelta[];
}

export function createChoiceState(stops: readonly string[], callId: () => string): ChoiceState {
  const cutter = stops.length > 0 ? createStopCutter(stops) : undefined;
  let tools: ToolDeltas | undefined;

  function take(delta: ChunkDelta): { delta: ChunkDelta; changed: boolean } {
    let next = withoutOddMembers(delta);
    const { content, tool_calls: calls } = delta;
    if (cutter?.stopped) return { delta: {}, changed: true };
    if (cutter && typeof content === 'string' && content !== '') {
      const text = cutter.push(content);
      if (text !== content) next = { ...next, content: text };
    }
    // Some servers say null in every delta, or an empty list.
    if (delta.role !== undefined && delta.role !== 'assistant') {
      const { role, ...others } = next;
      next = typeof role === 'string' ? { ...others, role: 'assistant' } : others;
    }
    if (calls !== undefined) {
      if (Array.isArray(calls) && calls.length > 0) {
        tools ??= createToolDeltas(callId);
        const { deltas, changed } = tools.push(calls);
        if (changed) next = { ...next, tool_calls: deltas };
      } else {
        const { tool_calls: _none, ...others } = next;
        next = others;
      }
    }
    return { delta: next, changed: next !== delta };
  }

  return {
    opened: false,
    finish: undefined,
    get cut() {
      return cutter?.stopped ?? false;
    },
    get called() {
      return tools?.called ?? false;
    },
    take,
    end(complete = true) {
      const deltas: ChunkDelta[] = [];
      const text = cutter?.end() ?? '';
      if (text !== '') deltas.push({ content: text });
      const missing = complete ? (tools?.end() ?? []) : [];
      if (missing.length > 0) deltas.push({ tool_calls: missing });
      return deltas;
    },
  };
}
