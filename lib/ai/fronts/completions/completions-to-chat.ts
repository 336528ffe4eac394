import type { IncomingChat } from '../../completion/call/running-call.ts';
import type { ChatRequest } from '../../wire/chat.ts';
import type { CompletionsRequest } from '../../wire/completions-request.ts';
import { spliceMembers } from '../../wire/json-splice.ts';

export type Prompt = string | number[];

/** One prompt of a legacy request as a chat, and as the legacy request for this prompt alone. */
export interface PromptCall extends Pick<IncomingChat, 'request' | 'native' | 'warnings'> {
  /** The text that goes before the answer of a chat, if the caller wants the prompt to be repeated. */
  echo: string;
}

/** Members that mean the same in a chat. Others that a legacy request may have are not known there. */
const LEGACY_ONLY = ['prompt', 'suffix', 'echo', 'best_of', 'logprobs'];

/**
 * Translates a legacy request: a chat has one prompt, so each prompt becomes a call of its own. A provider that has the legacy operation gets
 * the caller's own text, with this one prompt.
 */
export function completionsToChat(body: CompletionsRequest, text: string): PromptCall[] {
  const prompts = promptsOf(body.prompt);
  return prompts.map((prompt) => ({
    request: chatOf(body, prompt),
    native: { dialect: 'completions', text: prompts.length === 1 ? text : spliceMembers(text, { prompt: JSON.stringify(prompt) }) },
    warnings: warningsOf(body),
    echo: body.echo === true && typeof prompt === 'string' ? prompt : '',
  }));
}

export const promptsOf = (prompt: CompletionsRequest['prompt']): Prompt[] => (isOnePrompt(prompt) ? [prompt] : prompt);

const isOnePrompt = (prompt: CompletionsRequest['prompt']): prompt is Prompt => typeof prompt === 'string' || typeof prompt[0] === 'number';

function chatOf(body: CompletionsRequest, prompt: Prompt): ChatRequest {
  const rest = Object.fromEntries(Object.entries(body).filter(([name]) => !LEGACY_ONLY.includes(name)));
  // A provider without the legacy operation knows no parts of this type, and refuses the prompt by name.
  const content = typeof prompt === 'string' ? prompt : [{ type: 'prompt_tokens', tokens: prompt }];
  const logprobs = typeof body.logprobs === 'number' ? { logprobs: true, top_logprobs: body.logprobs } : {};
  return { ...rest, model: body.model, messages: [{ role: 'user', content }], ...logprobs };
}

/** What a chat can't do. A provider with the legacy operation does it, so this is said only of what was asked for. */
function warningsOf({ suffix, best_of, n }: CompletionsRequest): string[] {
  const warnings: string[] = [];
  if (typeof suffix === 'string' && suffix !== '') warnings.push('suffix is kept only by providers that have /v1/completions');
  if (typeof best_of === 'number' && best_of > (n ?? 1)) warnings.push('best_of is kept only by providers that have /v1/completions');
  return warnings;
}
