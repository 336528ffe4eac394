import { jsonOrText, textOf } from './attempts/ask-provider.ts';
import type { RunningCall } from './running-call.ts';

/** The semantic cache has to be faster than the provider that it replaces. */
const EMBED_MS = 2_000;

/**
 * The meaning of a text as a vector, by the project's own embedding model. Undefined if no provider gives one in time: then nothing is similar.
 * It is no attempt of the call: neither its record nor its cost has it.
 */
export async function embedQuestion(run: RunningCall, model: string, text: string): Promise<number[] | undefined> {
  const { ports, call, settings } = run;
  try {
    const request = {
      model,
      prompt_tokens: text.length,
      max_output_tokens: 0,
      priority: undefined,
      required_features: [],
      exclude_providers: [],
      fallbacks: [],
    };
    const { attempts } = ports.plan(request, settings, ports.healthOf(settings.organization_id), ports.random);
    const [candidate] = attempts;
    const target = candidate && ports.memory.targetOf(candidate);
    const adapter = target && ports.adapterFor(target.type);
    if (!target || !adapter?.embeddings || !adapter.decodeEmbeddings) return undefined;
    const asked = adapter.embeddings({ request: { model: target.model, input: text } }, target);
    const timeouts = { connectMs: EMBED_MS, firstByteMs: EMBED_MS, idleMs: EMBED_MS, totalMs: EMBED_MS };
    const { method, url, headers, body } = asked;
    const response = await ports.send(target, { method, url, headers, body, signal: call.signal, timeouts, limitBytes: 1024 * 1024 });
    const answer = jsonOrText(await textOf(response));
    if (response.status >= 400 || adapter.failureIn(answer)) return undefined;
    return adapter.decodeEmbeddings(answer, target).vectors[0];
  } catch (error) {
    call.log.warn('question_not_embedded', { model, error });
    return undefined;
  }
}
