// Each letter of a JSON list [{raw, sender}] on standard input, as mailauth judges it, of a mail server at 203.0.113.5:
// [{signatures: [[algorithm, result]], spf, dmarc}].
import { authenticate } from 'mailauth';

const chunks = [];
for await (const chunk of process.stdin) chunks.push(chunk);
const judged = [];
for (const { raw, sender } of JSON.parse(Buffer.concat(chunks).toString('utf8'))) {
  const { dkim, spf, dmarc } = await authenticate(Buffer.from(raw, 'base64'), {
    ip: '203.0.113.5', helo: 'mail.example.org', mta: 'mx.example.com', sender, disableArc: true, disableBimi: true,
  });
  judged.push({
    signatures: dkim.results.map((one) => [one.algo, one.status.result]),
    spf: spf.status.result,
    dmarc: dmarc && { result: dmarc.status.result, ...dmarc.alignment },
  });
}
console.log(JSON.stringify(judged));
