import type { Log } from '../log.ts';

export interface Message {
  to: string;
  subject: string;
  text: string;
}
export interface Mail {
  /** Resolves when the message is on its way. */
  send(message: Message): Promise<void>;
}

/** For development: the log is the letter box. Nothing is sent. */
export const mailToLog = (log: Log): Mail => ({
  async send({ to, subject, text }) {
    log.info('mail', { to, subject, text, advice: 'nothing was sent: set BROKKR_MAIL_FROM to send mails' });
  },
});

/** Sends nothing, and shows nothing but that. The text may contain a token, which must not get into a shared log. */
export const noMail = (log: Log): Mail => ({
  async send({ subject }) {
    log.warn('mail_not_sent', { subject, advice: 'set BROKKR_MAIL_FROM to send mails' });
  },
});
