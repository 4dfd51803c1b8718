// A cluster: the primary process signs a token before it starts three more processes. Each of them
// signs one and reports its length.
const cluster = require('node:cluster')
const { Signer } = require('rdsign')

const sign = () => new Signer(JSON.parse(process.env.OPTIONS)).tokenSync().value.length

if (cluster.isPrimary) {
  const own = sign()
  cluster.on('message', (worker, length) => {
    console.log(length === own)
    worker.disconnect()
  })
  for (let i = 0; i < 3; i++) cluster.fork()
} else {
  process.send(sign())
}
