import { expect, test } from '@jest/globals';
import { plan, provider, tried } from './planning-world.ts';

const openai = provider('openai', { type: 'openai' });
const azure = provider('azure', { type: 'azure' });
const openrouter = provider('openrouter', { models: [{ id: 'openai/gpt-4o' }, { id: 'meta-llama/llama-3.3-70b' }] });
const vllm = provider('vllm');
const all = [openai, azure, openrouter, vllm];

test.each<[string, string[], string]>([
  ['gpt-4o-mini', ['openai/gpt-4o-mini'], 'a name in one catalogue goes to its provider'],
  ['gpt-4o', ['azure/gpt-4o', 'openai/gpt-4o', 'openrouter/openai/gpt-4o'], 'the same model of several providers goes to all of them'],
  ['openai/gpt-4o', ['openai/gpt-4o'], 'a provider’s prefix goes to that provider alone'],
  ['openrouter/openai/gpt-4o', ['openrouter/openai/gpt-4o'], 'one segment is taken off, and no second one'],
  ['meta-llama/llama-3.3-70b', ['openrouter/meta-llama/llama-3.3-70b'], 'a name with a slash may stand in a catalogue as a whole'],
  ['openai/gpt-9', ['openai/gpt-9'], 'a prefix with an unknown model is passed through to its provider'],
  ['vllm/org/my-model', ['vllm/org/my-model'], 'a provider without a catalogue is asked for anything under its prefix'],
  ['simulated/echo', ['simulated/echo'], 'the simulated provider has models under its prefix'],
  ['simulated/anything', ['simulated/anything'], 'the simulated provider has any model under its prefix'],
])('%s is tried at %j: %s', (model, places) => {
  expect(tried(plan(model, { providers: all })).sort()).toEqual([...places].sort());
});

test.each([
  ['gpt-9', 'no catalogue has it'],
  ['echo', 'the simulated provider serves its models only under its prefix'],
  ['nobody/gpt-4o', 'the prefix is no provider’s'],
  ['openai/', 'nothing stands after the prefix'],
  ['/gpt-4o', 'nothing stands before the slash'],
])('%s is unknown, because %s', (model) => {
  expect(() => plan(model, { providers: all })).toThrow(expect.objectContaining({ kind: 'not_found', code: 'model_not_found' }));
});

test('a whole name in another catalogue wins over a prefix whose provider does not list it', () => {
  const strict = provider('meta-llama', { models: [{ id: 'other' }] });
  expect(tried(plan('meta-llama/llama-3.3-70b', { providers: [strict, openrouter] }))).toEqual(['openrouter/meta-llama/llama-3.3-70b']);
});

test('a listed model of the prefix’s provider wins over the whole name in another catalogue', () => {
  const strict = provider('meta-llama', { models: [{ id: 'llama-3.3-70b' }] });
  expect(tried(plan('meta-llama/llama-3.3-70b', { providers: [openrouter, strict] }))).toEqual(['meta-llama/llama-3.3-70b']);
});

test('a provider with listed models has no others without its prefix', () => {
  const listed = provider('openai', { type: 'openai', models: [{ id: 'gpt-4o-mini' }] });
  expect(() => plan('gpt-4o', { providers: [listed] })).toThrow(expect.objectContaining({ code: 'model_not_found' }));
  expect(tried(plan('openai/gpt-4o', { providers: [listed] }))).toEqual(['openai/gpt-4o']);
});

test('a group is looked up before any provider, and goes to its targets alone', () => {
  const groups = [{ id: 'gpt-4o', targets: [{ model: 'vllm/llama' }, { model: 'openai/gpt-4o-mini' }, { model: 'gone/x' }] }];
  expect(tried(plan('gpt-4o', { providers: all, settings: { groups } })).sort()).toEqual(['openai/gpt-4o-mini', 'vllm/llama']);
});
