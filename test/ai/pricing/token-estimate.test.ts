import { expect, test } from '@jest/globals';
import { estimatePromptTokens, estimateTokens, mostPromptTokens, mostTokens } from '../../../lib/ai/pricing/token-estimate.ts';

test.each([
  ['', 0],
  ['hi', 1],
  ['The quick brown fox jumps over the lazy dog.', 11],
  ['北京', 2],
  ['Grüße', 3],
  ['🌧', 2],
])('%p is estimated at %p tokens', (text, tokens) => {
  expect(estimateTokens(text)).toBe(tokens);
});

test('the prompt is counted in each form that clients send', () => {
  const text = 'x'.repeat(400);
  expect(estimatePromptTokens({ model: 'm', messages: [{ role: 'user', content: text }] })).toBeGreaterThanOrEqual(104);
  expect(estimatePromptTokens({ model: 'm', prompt: [text, text] })).toBe(200);
  expect(estimatePromptTokens({ model: 'm', prompt: [[1, 2, 3]] })).toBe(3);
  expect(estimatePromptTokens({ model: 'm', input: text })).toBe(100);
  expect(estimatePromptTokens({ model: 'm', system: text, messages: [] })).toBe(100);
});

test('tools are part of the prompt, settings are not', () => {
  const tools = [
    { type: 'function', function: { name: 'weather', parameters: { type: 'object', properties: { city: { type: 'string' } } } } },
  ];
  const messages = [{ role: 'user', content: 'hi' }];
  expect(estimatePromptTokens({ messages, tools })).toBeGreaterThan(estimatePromptTokens({ messages }) + 10);
  expect(estimatePromptTokens({ messages, metadata: { a: 'x'.repeat(1_000) } })).toBe(estimatePromptTokens({ messages }));
});

test('an image counts by a fixed number, not by the length of its data', () => {
  const image = (url: string) =>
    estimatePromptTokens({ messages: [{ role: 'user', content: [{ type: 'image_url', image_url: { url } }] }] });
  expect(image(`data:image/png;base64,${'A'.repeat(1_000_000)}`)).toBe(image('https://example.com/a.png'));
});

test.each([
  ['', 0],
  ['hi', 1],
  ['The quick brown fox jumps over the lazy dog.', 11],
  ['北京', 4],
  ['1234 5678', 9],
  ['a1', 2],
  ['x'.repeat(24), 24],
  [`see ${'aB3+'.repeat(100)} there`, 403],
])('%p has at most %p tokens', (text, tokens) => {
  expect(mostTokens(text)).toBe(tokens);
});

test('what is reserved for a prompt of digits or base64 is several times its estimate, and for an image no more', () => {
  const chat = (content: unknown) => ({ messages: [{ role: 'user', content }] });
  const digits = chat('0123456789'.repeat(100));
  expect(mostPromptTokens(digits)).toBeGreaterThan(3 * estimatePromptTokens(digits));
  const image = chat([{ type: 'image_url', image_url: { url: `data:image/png;base64,${'A'.repeat(10_000)}` } }]);
  expect(mostPromptTokens(image)).toBeLessThan(estimatePromptTokens(image) + 100);
});
