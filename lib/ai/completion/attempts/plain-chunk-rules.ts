import type { ChatChunk, FinishReason, WireUsage } from '../../wire/chat.ts';
import type { BrokleExtension } from '../brokle-extension.ts';
import { isContent } from '../is-content.ts';

export interface OutChunk {
  chunk: ChatChunk;
  text?: string | undefined;
}

export interface ChunkRules {
  accept(chunk: ChatChunk, text: string | undefined): OutChunk[];
  readonly holdsFinish: boolean;
  readonly hasFinished: boolean;
  readonly finishReasons: readonly FinishReason[];
  finish(usage: WireUsage | undefined, brokle: () => BrokleExtension): OutChunk[];
}

export interface ChunkIdentity {
  id: string;
  created: number;
  includeUsage: boolean;
  choices: number;
}

/** Holds the opening until content comes, and the last finish until everything is known. */
export function createChunkRules({ id, created, includeUsage, choices: wanted }: ChunkIdentity): ChunkRules {
  let opening: OutChunk[] | undefined = [];
  let last: OutChunk | undefined;
  let model = '';
  const finishReasons: FinishReason[] = [];
  const head = () => ({ id, object: 'chat.completion.chunk' as const, created, model });
  const usage = includeUsage ? { usage: null } : {};

  return {
    accept(chunk) {
      if (chunk.choices.length === 0) return [];
      model ||= chunk.model;
      const out: OutChunk = { chunk: { ...chunk, ...head(), ...usage } };
      const finishes = chunk.choices.flatMap(({ finish_reason }) => (finish_reason ? [finish_reason] : []));
      finishReasons.push(...finishes);
      if (finishes.length > 0 && finishReasons.length >= wanted) {
        last = out;
        return [];
      }
      const content = chunk.choices.some(({ delta }) => isContent(delta));
      if (!opening) return content || finishes.length > 0 ? [out] : [];
      opening.push(out);
      if (!content) return [];
      const held = opening;
      opening = undefined;
      return held;
    },
    get holdsFinish() {
      return last !== undefined;
    },
    get hasFinished() {
      return last !== undefined;
    },
    finishReasons,
    finish(total, brokle) {
      const held = opening ?? [];
      opening = undefined;
      if (!last) return held;
      return [
        ...held,
        { chunk: { ...last.chunk, brokle: brokle() } },
        ...(includeUsage && total ? [{ chunk: { ...head(), choices: [], usage: total } }] : []),
      ];
    },
  };
}
