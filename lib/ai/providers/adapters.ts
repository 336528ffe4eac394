import { AppError } from '../../platform/errors.ts';
import type { Adapter, ProviderType } from './adapter.ts';
import { anthropicAdapter } from './anthropic/anthropic-adapter.ts';
import { geminiAdapter } from './google/gemini-adapter.ts';
import { openaiAdapter } from './openai/openai-adapter.ts';

const ADAPTERS: Partial<Record<ProviderType, Adapter>> = {
  openai: openaiAdapter,
  'openai-compatible': openaiAdapter,
  azure: openaiAdapter,
  anthropic: anthropicAdapter,
  google: geminiAdapter,
  simulated: openaiAdapter,
};

export function adapterFor(type: ProviderType): Adapter {
  const adapter = ADAPTERS[type];
  if (!adapter) throw new AppError('internal', `there is no adapter for providers of type ${type}`);
  return adapter;
}
