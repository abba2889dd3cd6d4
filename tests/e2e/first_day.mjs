import { play } from './support/steps.mjs';

await play('first-day', [
  'applied, record #', 'read_text_file', 'What it may do, once it is in force:',
  'its lines touch unit finance', 'invoice-reader is proposed', 'missing', 'unit finance: missing',
  'consented, record #', 'invoice-reader', 'data-source/invoices changed: sensitivity.',
  'looked at, record #', 'equal: what is enforced is what its record says',
  'charter: invoice-reader@1', 'as recorded: ',
]);
