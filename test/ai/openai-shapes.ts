import * as z from 'zod';

/**
 * The shapes of OpenAI's published API document of 2026-08-21, as strict as it is where clients depend on it, and open where providers add
 * members of their own.
 */
const FinishReason = z.enum(['stop', 'length', 'tool_calls', 'content_filter', 'function_call']);
const count = z.int().min(0);
export const WireUsageShape = z.looseObject({
  prompt_tokens: count,
  completion_tokens: count,
  total_tokens: count,
});

const ToolCallShape = z.looseObject({
  id: z.string().min(1),
  type: z.literal('function'),
  function: z.looseObject({ name: z.string().min(1), arguments: z.string().min(2) }),
});
const MessageShape = z.looseObject({
  role: z.literal('assistant'),
  content: z.string().nullable(),
  refusal: z.string().nullable(),
  tool_calls: z.array(ToolCallShape).min(1).optional(),
});
export const CompletionShape = z.looseObject({
  id: z.string().min(1),
  object: z.literal('chat.completion'),
  created: z.int().min(1),
  model: z.string().min(1),
  choices: z.array(z.looseObject({ index: count, message: MessageShape, logprobs: z.unknown(), finish_reason: FinishReason })).min(1),
  usage: WireUsageShape,
});

const DeltaShape = z.looseObject({
  role: z.literal('assistant').optional(),
  content: z.string().nullable().optional(),
  tool_calls: z
    .array(
      z.looseObject({
        index: count,
        id: z.string().min(1).optional(),
        type: z.literal('function').optional(),
        function: z.looseObject({ name: z.string().optional(), arguments: z.string().optional() }).optional(),
      }),
    )
    .optional(),
});
const ChunkShape = z.looseObject({
  id: z.string().min(1),
  object: z.literal('chat.completion.chunk'),
  created: z.int().min(1),
  model: z.string().min(1),
  choices: z.array(z.looseObject({ index: count, delta: DeltaShape, finish_reason: FinishReason.nullable() })),
  usage: WireUsageShape.nullish(),
});
export const ErrorShape = z.looseObject({
  error: z.looseObject({ message: z.string().min(1), type: z.string().min(1), param: z.string().nullable(), code: z.string().nullable() }),
});

/** Throws what is wrong with the bytes of a whole stream. `usage`: the caller asked for usage. Returns whether it ended well, or failed in words. */
export function checkStream(text: string, { usage = false }: { usage?: boolean } = {}): 'done' | 'failed' {
  const events = text
    .split('\n\n')
    .filter((event) => event !== '' && !event.startsWith(':'))
    .map((event) => z.string().startsWith('data: ').parse(event).slice(6));
  const last = events.at(-1);
  const end = last === '[DONE]' ? 'done' : 'failed';
  const body = events.slice(0, -1).map((event) => ChunkShape.parse(JSON.parse(event)));
  if (end === 'failed') {
    ErrorShape.parse(JSON.parse(String(last)));
    return end;
  }
  const heads = new Set(body.map(({ id, created, model }) => `${id} ${created} ${model}`));
  if (heads.size !== 1) throw new Error(`${heads.size} heads in one stream`);
  if (body[0]?.choices[0]?.delta.role !== 'assistant') throw new Error('the first chunk names no role');
  const withoutChoices = body.filter(({ choices }) => choices.length === 0);
  if (withoutChoices.length !== (usage ? 1 : 0)) throw new Error(`${withoutChoices.length} chunks without choices`);
  if (usage && !body.at(-1)?.usage) throw new Error('no usage at the end');
  const finishes = body.flatMap(({ choices }) => choices.flatMap(({ index, finish_reason }) => (finish_reason ? [index] : [])));
  if (new Set(finishes).size !== finishes.length || finishes.length === 0) throw new Error(`finishes of the choices ${finishes}`);
  const branded = body.filter((chunk) => 'brokle' in chunk);
  if (branded.length !== 1 || !branded[0]?.choices[0]?.finish_reason) throw new Error('brokle is not on the last finish alone');
  return end;
}
