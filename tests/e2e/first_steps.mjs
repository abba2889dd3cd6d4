import { play } from './support/steps.mjs';

await play('first-steps', [
  '0 failed', '+ policy org/no-way-out', 'applied, record #',
  '+ identity reader', 'applied, record #',
  'It waits for another person: remit identity approve reader', 'files/read_text_file', 'sha256:',
  'It does not print.', 'Refused (data_source)', 'deny', 'exit status 1', 'kill-receipt', 'sound: ',
]);
