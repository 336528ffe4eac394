/** What every chunk of an answer has alike. */
export interface CompletionHead {
  id: string;
  created: number;
  model: string;
}

const LATEST_SECONDS = 1e11;

/** The provider's own id, time and model where they are usable, else ours. */
export function completionHead(answer: Readonly<Record<string, unknown>>, ours: CompletionHead): CompletionHead {
  const { id, created, model } = answer;
  return {
    id: typeof id === 'string' && id !== '' ? id : ours.id,
    created: typeof created === 'number' && created > 0 && created < LATEST_SECONDS ? Math.floor(created) : ours.created,
    model: typeof model === 'string' && model !== '' ? model : ours.model,
  };
}
