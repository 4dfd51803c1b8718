# Reads database.yml as Rails does, uses a model in two connections of the pool, and prints the user.
require "active_record"
require "erb"
require "yaml"

text = ERB.new(File.read(File.join(__dir__, "database.yml"))).result
ActiveRecord::Base.configurations = YAML.safe_load(text, aliases: true)
ActiveRecord::Base.establish_connection(:production)

class User < ActiveRecord::Base
  self.table_name = "pg_user"
end

def current = ActiveRecord::Base.connection.select_value("select current_user")

puts User.where(usename: current).pluck(:usename)
Thread.new { puts current }.join
