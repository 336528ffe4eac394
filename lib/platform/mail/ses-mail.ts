import { SESv2Client, SendEmailCommand } from '@aws-sdk/client-sesv2';
import type { Mail } from './mail.ts';

/** Sends by Amazon SES. The client connects at its first mail. */
export function createSesMail(options: { from: string; region?: string; endpoint?: string }): Mail {
  const { from, ...clientOptions } = options;
  const client = new SESv2Client({ maxAttempts: 3, ...clientOptions });
  return {
    async send({ to, subject, text }) {
      const Charset = 'UTF-8';
      await client.send(
        new SendEmailCommand({
          FromEmailAddress: from,
          Destination: { ToAddresses: [to] },
          Content: { Simple: { Subject: { Data: subject, Charset }, Body: { Text: { Data: text, Charset } } } },
        }),
      );
    },
  };
}
