# Logs in to an RDS database from Ruby, with the gem pg and a token instead of a password, and prints the user.
#
# Reads libpq's variables as ../c-libpq does. Needs librdsign where pkg-config finds it.
require "fiddle/import"
require "pg"

def installed(variable)
  `pkg-config --variable=#{variable} rdsign`.strip
end

# The functions of rdsign.h that this program calls.
module Library
  extend Fiddle::Importer
  dlload "#{installed("libdir")}/librdsign.so.0"
  extern "void *rdsign_options_new()"
  extern "int rdsign_options_set_hostname(void *, const char *)"
  extern "int rdsign_options_set_port(void *, long long)"
  extern "int rdsign_options_set_username(void *, const char *)"
  extern "void rdsign_options_free(void *)"
  extern "int rdsign_signer_new(void *, void *, void *)"
  extern "int rdsign_signer_token(void *, void *, void *)"
  extern "const char *rdsign_token_value(void *)"
  extern "void rdsign_token_free(void *)"
  extern "const char *rdsign_error_message(void *)"
  extern "void rdsign_error_free(void *)"

  # Calls a function that writes an object or an error, and returns the object.
  def self.made_by(function, argument)
    made, error = Array.new(2) { Fiddle::Pointer.malloc(Fiddle::SIZEOF_VOIDP, Fiddle::RUBY_FREE) }
    return made.ptr if send(function, argument, made, error).zero?

    message = rdsign_error_message(error.ptr).to_s
    rdsign_error_free(error.ptr)
    raise message
  end
end

# Signs tokens for one user at one endpoint. Threads may share it; keep it for all connections.
class Signer
  def initialize(hostname:, port:, username:)
    options = Library.rdsign_options_new
    Library.rdsign_options_set_hostname(options, hostname)
    Library.rdsign_options_set_port(options, port)
    Library.rdsign_options_set_username(options, username)
    @signer = Library.made_by(:rdsign_signer_new, options)
  ensure
    Library.rdsign_options_free(options)
  end

  # Returns a token, which opens connections for at most 15 minutes: each connection needs its own.
  def password
    token = Library.made_by(:rdsign_signer_token, @signer)
    Library.rdsign_token_value(token).to_s
  ensure
    Library.rdsign_token_free(token)
  end
end

server = { host: ENV.fetch("PGHOST"), port: ENV.fetch("PGPORT", "5432"), user: ENV.fetch("PGUSER") }
signer = Signer.new(hostname: server[:host], port: server[:port].to_i, username: server[:user])

# A token is a password: never send it to another server. What is no parameter, a service may replace. An empty
# parameter is none.
authorities = ENV.fetch("PGSSLROOTCERT", "")
verified = {
  sslmode: "verify-full",
  sslrootcert: authorities.empty? ? installed("cafile") : authorities,
  gssencmode: "disable"
}
verified[:hostaddr] = ENV["PGHOSTADDR"] if ENV["PGHOSTADDR"]
connection = PG.connect(**server, **verified, password: signer.password)
puts connection.exec("select current_user").getvalue(0, 0)
connection.close
