import { afterEach, describe, expect, test } from '@jest/globals';
import { gatewayWorld, readAll } from './gateway-world.ts';
import { answers, type Script, startUpstream, streams } from './scripted-upstream.ts';

const open: { close(): Promise<void> }[] = [];
afterEach(async () => {
  for (const one of open.splice(0)) await one.close();
});
async function over(type: 'anthropic' | 'google', script: Script) {
  const upstream = await startUpstream(script);
  const model = type === 'google' ? 'gemini-2.5-flash' : 'claude-sonnet-4-5';
  const world = gatewayWorld([{ url: upstream.url, model: { id: model }, more: { type } }]);
  open.push(world, upstream);
  return { upstream, chat: (request: Record<string, unknown>) => world.chat({ model, ...request }) };
}

/** Names that OpenAI's clients send, and that one provider or the other refuses. */
const LONG = 'a'.repeat(200);
const NAMES = ['files.read', 'files read', '1c_reload', LONG, `${LONG}b`, 'plain'];
const tools = NAMES.map((name) => ({ type: 'function', function: { name, parameters: { type: 'object', properties: {} } } }));
const call = (name: string) => ({ id: 'call_1', type: 'function', function: { name, arguments: '{}' } });
const conversation = (name: string) => ({
  tools,
  tool_choice: { type: 'function', function: { name } },
  messages: [
    { role: 'user', content: 'x' },
    { role: 'assistant', content: null, tool_calls: [call(name)] },
    { role: 'tool', tool_call_id: 'call_1', content: 'done' },
  ],
});

describe('names of tools that Anthropic refuses', () => {
  const usage = { input_tokens: 1, output_tokens: 1 };
  /** Calls the first tool that was offered: whole or streamed. */
  const calls: Script = (asked, response) => {
    const block = { type: 'tool_use', id: 'toolu_1', name: asked.body.tools[0].name, input: {} };
    const message = { id: 'm', type: 'message', role: 'assistant', model: 'm', content: [], stop_reason: null, usage };
    if (!asked.body.stream) return answers({ ...message, content: [block], stop_reason: 'tool_use' })(asked, response);
    const event = (data: { type: string } & Record<string, unknown>) => `event: ${data.type}\ndata: ${JSON.stringify(data)}\n\n`;
    return streams(
      event({ type: 'message_start', message }),
      event({ type: 'content_block_start', index: 0, content_block: block }),
      event({ type: 'content_block_stop', index: 0 }),
      event({ type: 'message_delta', delta: { stop_reason: 'tool_use' }, usage }),
      event({ type: 'message_stop' }),
    )(asked, response);
  };

  test('are sent under names that it takes, each under its own, everywhere in the request alike', async () => {
    const { upstream, chat } = await over('anthropic', calls);
    for (const name of NAMES) await chat(conversation(name));
    for (const [index, { body }] of upstream.calls.entries()) {
      const sent: string[] = body.tools.map(({ name }: { name: string }) => name);
      expect(new Set(sent).size).toBe(NAMES.length);
      for (const name of sent) expect(name).toMatch(/^[a-zA-Z0-9_-]{1,128}$/);
      expect(sent.at(-1)).toBe('plain');
      expect(body.messages[1].content[0].name).toBe(sent[index]);
      expect(body.tool_choice.name).toBe(sent[index]);
    }
  });

  test.each([false, true])('come back as the caller wrote them (stream: %p)', async (stream) => {
    const { chat } = await over('anthropic', calls);
    const answer = await chat({ ...conversation('plain'), stream });
    const called =
      answer.kind === 'stream'
        ? (await readAll(answer)).frames
            .flatMap((frame) => (frame.kind === 'chunk' ? frame.chunk.choices : []))
            .flatMap(({ delta }) => delta.tool_calls ?? [])
        : answer.completion.choices.flatMap(({ message }) => message.tool_calls ?? []);
    expect(called[0]?.function?.name).toBe('files.read');
  });
});

test('names of tools that Google refuses are sent under names that it takes, and come back as the caller wrote them', async () => {
  const usageMetadata = { promptTokenCount: 1, candidatesTokenCount: 1, totalTokenCount: 2 };
  const { upstream, chat } = await over('google', (asked, response) => {
    const { name } = asked.body.tools[0].functionDeclarations[1];
    const content = { role: 'model', parts: [{ functionCall: { name, args: {} } }] };
    return answers({ candidates: [{ content, finishReason: 'STOP', index: 0 }], usageMetadata })(asked, response);
  });
  const answer = await chat(conversation('1c_reload'));
  const sent: string[] = upstream.calls[0]?.body.tools[0].functionDeclarations.map(({ name }: { name: string }) => name);
  expect(new Set(sent).size).toBe(NAMES.length);
  for (const name of sent) expect(name).toMatch(/^[a-zA-Z_][a-zA-Z0-9_.:-]{0,63}$/);
  expect(sent[0]).toBe('files.read');
  expect(upstream.calls[0]?.body.contents[1].parts[0].functionCall.name).toBe(sent[2]);
  expect(answer).toMatchObject({ completion: { choices: [{ message: { tool_calls: [{ function: { name: 'files read' } }] } }] } });
});
