// A browser at remit's pages: it keeps cookies and says where it was sent.
import assert from 'node:assert/strict';

export class Browser {
  cookies = new Map();

  // base: where the pages are.
  constructor(base) {
    this.base = base;
  }

  async get(address) {
    const answer = await fetch(new URL(address, this.base), { redirect: 'manual', headers: {
      Cookie: [...this.cookies].map(([name, value]) => `${name}=${value}`).join('; ') } });
    for (const line of answer.headers.getSetCookie()) {
      const [, name, value] = /^([^=]+)=([^;]*)/.exec(line);
      this.cookies.set(name, value);
    }
    return { status: answer.status, headers: answer.headers, text: await answer.text(),
      place: answer.headers.get('location') };
  }

  // To the page that waits.
  async begin(address) {
    const first = await this.get(address);
    assert.equal(first.status, 303, first.text);
    this.page = first.place;
    const shown = await this.get(this.page);
    assert.equal(shown.status, 200, shown.text);
    this.code = /remit consent ([A-Z-]{9})/.exec(shown.text)[1];
    this.number = /<strong>(\d\d)<\/strong>/.exec(shown.text)[1];
    return shown;
  }
}
