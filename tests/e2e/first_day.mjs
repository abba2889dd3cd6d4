import { play } from './support/steps.mjs';

await play('first-day', [
  'applied, record #', 'cloud/nightly-export',
  'custodian gil@example.com answers for nothing by it yet',
  'invoices', 'gil@example.com', 'consented, record #',
  'read_text_file', 'applied, record #', 'What it may do, once it is in force:',
  'its lines touch unit finance', 'invoice-reader is proposed', 'missing', 'unit finance: missing',
  'consented, record #', 'invoice-reader', 'data-source/invoices changed: sensitivity.',
  'invoices', 'in force, record #',
  'looked at, record #', 'equal: what is enforced is what its record says',
  'charter: invoice-reader@2', 'as recorded: ',
]);
